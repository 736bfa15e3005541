"""Plans: how a job's frames are cut into chunks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from executors.base import ChunkTask
from renderer.frames import FrameRange

from .output_files import kept_settings, wanted_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from renderer.settings import History

    from .job import JobSpec

# About sixteen chunks keep a small farm busy to the end. Each costs an encoder's start and end, and
# its page may be played from frame 0 to the chunk's first frame: more chunks would play more than
# they film (docs/decisions/0003). So none is shorter than three seconds or so: 0.2 s of CPU, which
# one costs that goes on where the one before it ended, are then a twentieth of it
# (benchmarks/results/chunk-length.md). Long jobs get long ones, but losing one must not hurt too
# much. The farm's size has no say: bytes depend on where chunks begin.
_CHUNKS_WANTED: Final = 16
_SHORTEST: Final = 90
_LONGEST: Final = 1_800


@dataclass(frozen=True, slots=True)
class Plan:
    """The chunks of a job, in order: disjoint, and together all its frames."""

    job_id: str
    spec: JobSpec
    tasks: tuple[ChunkTask, ...]

    @property
    def frames_total(self) -> int:
        return sum(len(task.frames) for task in self.tasks)

    def with_history(self, history: History) -> Plan:
        """The same chunks, whose pages are played to their first frames, or jumped to."""
        tasks = (
            replace(task, settings=replace(task.settings, history=history)) for task in self.tasks
        )
        return replace(self, tasks=tuple(tasks))

    def ending_at(self, ends_at_s: float | None) -> Plan:
        """The same chunks, of a job whose time is over then, by the event loop."""
        return replace(self, tasks=tuple(replace(task, ends_at_s=ends_at_s) for task in self.tasks))

    def counting_from(self, attempt: int) -> Plan:
        """The same chunks, whose first attempts have this number."""
        return replace(self, tasks=tuple(replace(task, attempt=attempt) for task in self.tasks))


def plan(job_id: str, spec: JobSpec, *, concurrency: int | None = None) -> Plan:
    """Cut a job into chunks.

    With `concurrency`, into that many chunks of equal length (give or take a frame, and never
    more chunks than frames); without, into chunks of `spec.chunk_frames` or the default length.
    Where single frames are wanted, and no film, each is a chunk.
    """
    return Plan(job_id, spec, tuple(_tasks(job_id, spec, chunks_of(spec, concurrency))))


def chunks_of(spec: JobSpec, concurrency: int | None = None) -> list[FrameRange]:
    """The frames of each chunk, in order."""
    wanted = wanted_frames(spec.frames, spec.files)
    if wanted != (spec.frames,):
        return list(wanted)
    if concurrency is not None:
        return list(_equal(spec.frames, concurrency))
    return list(_of_length(spec.frames, spec.chunk_frames or default_chunk_frames(spec.frames)))


def default_chunk_frames(frames: FrameRange) -> int:
    """How many frames a chunk of a job has, when its user does not say."""
    return min(_LONGEST, max(_SHORTEST, -(-len(frames) // _CHUNKS_WANTED)))


def _of_length(frames: FrameRange, length: int) -> Iterator[FrameRange]:
    for start in range(frames.start, frames.stop, length):
        yield FrameRange(start, min(start + length, frames.stop))


def _equal(frames: FrameRange, count: int) -> Iterator[FrameRange]:
    if count < 1:
        raise ValueError(f"concurrency must be at least 1, got {count}")
    count = min(count, len(frames))
    cuts = [frames.start + len(frames) * k // count for k in range(count + 1)]
    for start, stop in pairwise(cuts):
        yield FrameRange(start, stop)


def _tasks(job_id: str, spec: JobSpec, pieces: Sequence[FrameRange]) -> Iterator[ChunkTask]:
    settings = kept_settings(spec.settings, spec.files)
    for index, frames in enumerate(pieces):
        yield ChunkTask(
            job_id=job_id,
            index=index,
            composition=spec.composition,
            frames=frames,
            settings=settings,
            has_successor=index + 1 < len(pieces),
            share=spec.share,
        )
