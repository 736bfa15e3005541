"""Reads a job's whole log, and says what in it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from coordinator.job import (
    ChunkMoved,
    ChunkState,
    Event,
    JobEvent,
    JobState,
    ProgressMade,
    StateChanged,
)


def faults(events: Sequence[JobEvent], *, chunks: int, frames: int) -> list[str]:
    """What is wrong with the log of a job that succeeded; nothing, if all is well."""
    log = _Log(chunks=chunks, frames=frames)
    for wanted, event in enumerate(events, start=1):
        if event.sequence != wanted:
            return [*log.faults, f"event {wanted} has the sequence number {event.sequence}"]
        log.read(event.sequence, event.event)
    log.end()
    return log.faults


def lives(events: Sequence[JobEvent]) -> int:
    """How many coordinators have had the job."""
    return sum(
        isinstance(each.event, StateChanged) and each.event.state is JobState.QUEUED
        for each in events
    )


def begun(events: Sequence[JobEvent]) -> int:
    """How many attempts were begun or taken up."""
    return sum(
        isinstance(each.event, ChunkMoved) and each.event.state is ChunkState.RENDERING
        for each in events
    )


@dataclass
class _Log:
    """What was read so far. A life is what one coordinator does for the job."""

    chunks: int
    frames: int
    faults: list[str] = field(default_factory=list)
    rendered: set[int] = field(default_factory=set)  # in this life
    known: set[int] = field(default_factory=set)  # in all
    done: int = 0
    state: JobState | None = None

    def read(self, sequence: int, event: Event) -> None:
        if self.state is not None and self.state.is_final:
            self._fault(sequence, f"comes after the job has {self.state}")
        match event:
            case StateChanged(state):
                self._enter(state)
            case ProgressMade(done, _):
                if done < self.done:
                    self._fault(sequence, f"falls from {self.done} to {done} frames")
                self.done = done
            case ChunkMoved():
                self._move(sequence, event)
            case _:
                pass

    def end(self) -> None:
        if self.state is not JobState.SUCCEEDED:
            self.faults.append(f"the last state is {self.state}")
        if missing := set(range(self.chunks)) - self.rendered:
            self.faults.append(f"chunks {sorted(missing)} were never accepted")
        if self.done != self.frames:
            self.faults.append(f"it ends at {self.done} of {self.frames} frames")

    def _enter(self, state: JobState) -> None:
        if state is JobState.QUEUED:
            self.rendered.clear()
            self.done = 0
        self.state = state

    def _move(self, sequence: int, moved: ChunkMoved) -> None:
        index = moved.index
        match moved.state:
            case ChunkState.RENDERED:
                if index in self.rendered:
                    self._fault(sequence, f"accepts chunk {index} a second time")
                self.rendered.add(index)
                self.known.add(index)
            case ChunkState.RENDERING:
                if index in self.known:
                    self._fault(sequence, f"renders chunk {index} again, which was finished")
            case ChunkState.REQUEUED:
                if index in self.known:  # a trial's page has no memory: its chunks always fit
                    self._fault(sequence, f"drops finished chunk {index}: {moved.reason}")
                self.rendered.discard(index)
                self.known.discard(index)

    def _fault(self, sequence: int, what: str) -> None:
        self.faults.append(f"event {sequence} {what}")
