"""A job: a wish to render a composition, and what became of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from renderer.audio.tracks import Placement, placement_problems
from renderer.encode.choices import container_of
from renderer.encode.containers import SINGLE_PICTURES
from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from renderer.composition import BundleEntry, Composition
    from renderer.frames import FrameRange
    from renderer.settings import History, RenderSettings

MAX_FRAMES: Final = 10_000_000
MAX_CHUNKS: Final = 100_000
MIN_LUFS: Final = -70.0
MAX_LUFS: Final = -5.0


class JobState(StrEnum):
    QUEUED = "queued"
    RENDERING = "rendering"
    ASSEMBLING = "assembling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in _NEXT


# A coordinator that starts again puts what was running back into the queue.
_NEXT: Final = {
    JobState.QUEUED: {JobState.RENDERING, JobState.FAILED, JobState.CANCELLED},
    JobState.RENDERING: {
        JobState.ASSEMBLING,
        JobState.QUEUED,
        JobState.FAILED,
        JobState.CANCELLED,
    },
    JobState.ASSEMBLING: {
        JobState.SUCCEEDED,
        JobState.QUEUED,
        JobState.FAILED,
        JobState.CANCELLED,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack(Placement):
    """A sound of an uploaded bundle, to be mixed in, and what of it is heard when."""

    source: BundleEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What a user wishes for. A value that exists is valid.

    `frames` are the composition's; the video begins with `frames.start`. Without `chunk_frames`
    the planner chooses a length, by the number of frames and never by the size of the farm.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """

    composition: Composition
    settings: RenderSettings
    frames: FrameRange
    chunk_frames: int | None = None
    audio: tuple[AudioTrack, ...] = ()
    loudness_lufs: float | None = None  # what the whole mix is brought to; None: it stays as it is

    def __post_init__(self) -> None:
        if violations := tuple(_violations(self)):
            raise InvalidRequestError(violations)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the coordinator keeps."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A PNG file that the coordinator keeps of a job that failed."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """The root cause of a job's failure, and pictures that show it."""

    reason: str
    message: str
    detail: str = ""
    chunk_index: int | None = None
    pictures: tuple[StoredPicture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The facts of a finished video."""

    size_bytes: int
    sha256: str
    frames: int
    width_px: int
    height_px: int
    warnings: tuple[str, ...] = ()  # what the page did not get, each once
    manifest: StoredFile | None = None  # of its frames; older versions wrote none


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands now. Times are UTC."""

    id: str
    state: JobState
    spec: JobSpec
    frames_done: int
    created_at: datetime
    ended_at: datetime | None = None
    error: JobError | None = None
    output: Output | None = None


@dataclass(frozen=True, slots=True)
class StateChanged:
    state: JobState
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class ProgressMade:
    """Frames captured so far over all chunks: never falls, and ends at `frames_total`."""

    frames_done: int
    frames_total: int


class ChunkState(StrEnum):
    RENDERING = "rendering"
    RENDERED = "rendered"
    REQUEUED = "requeued"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkMoved:
    index: int
    state: ChunkState
    frames: FrameRange
    worker: str
    attempt: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLogged:
    chunk_index: int
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class HistoryFound:
    """Whether frames depend on earlier ones; `reason` says what speaks against a jump."""

    history: History
    reason: str = ""


Event = StateChanged | ProgressMade | ChunkMoved | PageLogged | HistoryFound


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """An event with its place in the job's log. Sequences count from 1, without gaps."""

    sequence: int
    at: datetime
    event: Event


def _violations(spec: JobSpec) -> Iterator[Violation]:
    count = len(spec.frames)
    yield from _frame_violations(spec)
    if spec.chunk_frames is not None:
        least = max(1, -(-count // MAX_CHUNKS))
        if not least <= spec.chunk_frames <= MAX_FRAMES:
            yield Violation(
                "chunk_frames", f"{spec.chunk_frames} is outside {least}…{MAX_FRAMES} frames"
            )
    for index, track in enumerate(spec.audio):
        for option, problem in placement_problems(track):
            yield Violation(f"audio[{index}].{option}", problem)
    if spec.loudness_lufs is not None and not MIN_LUFS <= spec.loudness_lufs <= MAX_LUFS:
        yield Violation(
            "loudness",
            f"{spec.loudness_lufs:g} LUFS is outside {MIN_LUFS:g}…{MAX_LUFS:g}; -14 is usual",
        )


def _frame_violations(spec: JobSpec) -> Iterator[Violation]:
    count = len(spec.frames)
    if not 1 <= count <= MAX_FRAMES:
        yield Violation("frames", f"{count} frames is outside 1…{MAX_FRAMES}")
    container = container_of(spec.settings)
    if count > 1 and container in SINGLE_PICTURES:
        yield Violation(
            "frames",
            f"{count} frames are too many for one {container} file; render one, or one file a "
            f"frame, as in -o frames/%05d.{container}",
        )
    if spec.frames.start > MAX_FRAMES:  # all frames before it are played
        yield Violation("frames", f"its start {spec.frames.start} is outside 0…{MAX_FRAMES}")


class IllegalTransitionError(Exception):
    """A job cannot go from one state to another: a fault in framefarm."""


def changed(job: Job, event: JobEvent) -> Job:
    """The job after an event of its log.

    Raises:
        IllegalTransitionError: the event's state cannot follow the job's.

    """
    match event.event:
        case ProgressMade(done, _):
            return replace(job, frames_done=done)
        case StateChanged(state, error):
            return _moved(job, state, error, event.at)
        case _:
            return job


def _moved(job: Job, state: JobState, error: JobError | None, at: datetime) -> Job:
    if state is not job.state and state not in _NEXT.get(job.state, set()):
        raise IllegalTransitionError(f"job {job.id}: {job.state} → {state}")
    if state is JobState.QUEUED:  # again, from the beginning
        return replace(job, state=state, frames_done=0)
    return replace(job, state=state, error=error, ended_at=at if state.is_final else None)
