"""What a job's events add up to: frames, chunks, speed, time left. Knows no terminal."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from coordinator.job import ChunkMoved, ChunkState, JobState, ProgressMade, StateChanged
from coordinator.planner import chunks_of

if TYPE_CHECKING:
    from coordinator.job import JobEvent, JobSpec

# Speed is that of the last seconds: long enough to be steady, short enough to be true.
_WINDOW_S: Final = 15.0


class JobProgress:
    """Adds up the events of one job, by the coordinator's clock."""

    def __init__(self, spec: JobSpec) -> None:
        self.chunks_total = len(chunks_of(spec))
        self.frames_total = spec.frames_total
        self.frames_done = 0
        self.state = JobState.QUEUED
        self._chunks: dict[int, ChunkState] = {}
        self._samples: deque[tuple[float, int]] = deque()

    def take(self, event: JobEvent) -> None:
        match event.event:
            case StateChanged(state):
                self.state = state
            case ProgressMade(done, total):
                self.frames_done, self.frames_total = done, total
                self._sample(event.at.timestamp(), done)
            case ChunkMoved(index=index, state=state):
                self._chunks[index] = state
            case _:
                pass

    @property
    def frames_per_s(self) -> float | None:
        if len(self._samples) < 2 or self._samples[-1][0] <= self._samples[0][0]:
            return None
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_s - first_s)

    @property
    def seconds_left(self) -> float | None:
        """Until the last frame is captured; None when nobody can know."""
        speed = self.frames_per_s
        return (self.frames_total - self.frames_done) / speed if speed else None

    @property
    def chunks(self) -> str:
        """How many chunks are where, in words."""
        states = list(self._chunks.values())
        done, running = states.count(ChunkState.RENDERED), states.count(ChunkState.RENDERING)
        waiting = max(0, self.chunks_total - done - running)
        return f"chunks: {done} rendered, {running} rendering, {waiting} waiting"

    def _sample(self, at_s: float, done: int) -> None:
        self._samples.append((at_s, done))
        while len(self._samples) > 2 and at_s - self._samples[0][0] > _WINDOW_S:
            self._samples.popleft()


def speed_text(progress: JobProgress) -> str:
    speed = progress.frames_per_s
    return "– frames/s" if speed is None else f"{speed:.1f} frames/s"


def time_left_text(progress: JobProgress) -> str:
    left = progress.seconds_left
    if left is None:
        return "ETA –"
    minutes, seconds = divmod(round(left), 60)
    return f"ETA {minutes}:{seconds:02}"
