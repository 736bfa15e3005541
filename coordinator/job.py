"""A job: a wish to render a composition, and what became of it. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from executors.base import Share
from renderer.audio.tracks import Placement
from renderer.encode.metadata import FileMetadata
from renderer.errors import InvalidRequestError

from .output_files import Encoding, FilmFile, ending_of, wanted_frames
from .spec_limits import spec_violations
from .subtitles import Subtitles

if TYPE_CHECKING:
    from datetime import datetime

    from renderer.composition import BundleEntry, Composition
    from renderer.frames import FrameRange
    from renderer.settings import History, RenderSettings

    from .output_files import OutputFile


class JobState(StrEnum):
    """How far a job is. ABORTING: it is to end as its error says, or as cancelled."""

    QUEUED = "queued"
    RENDERING = "rendering"
    PAUSED = "paused"
    ASSEMBLING = "assembling"
    ABORTING = "aborting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in _NEXT


_STOPS: Final = {JobState.ABORTING, JobState.FAILED, JobState.CANCELLED}
# A coordinator that starts again puts what was running back into the queue, as one does whose disk
# is full. What was assembled when it stopped is whole once more before it is assembled again.
_NEXT: Final = {
    JobState.QUEUED: {JobState.RENDERING, JobState.PAUSED} | _STOPS,
    JobState.RENDERING: {JobState.ASSEMBLING, JobState.PAUSED, JobState.QUEUED} | _STOPS,
    # Its chunks that run may be all that were missing.
    JobState.PAUSED: {JobState.RENDERING, JobState.ASSEMBLING, JobState.QUEUED} | _STOPS,
    JobState.ASSEMBLING: {JobState.SUCCEEDED, JobState.QUEUED} | _STOPS,
    JobState.ABORTING: {JobState.FAILED, JobState.CANCELLED},
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
    `share` is how much of the farm it may have; it begins when the jobs `after` have succeeded, and
    fails when it has not ended `time_limit_s` after it was created.
    `outputs` are the files that are made of them; without any, it is the one that `settings` say.
    Where there are some, they say how each is encoded, and `settings` do not.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """

    composition: Composition
    settings: RenderSettings
    frames: FrameRange
    chunk_frames: int | None = None
    audio: tuple[AudioTrack, ...] = ()
    loudness_lufs: float | None = None  # what the whole mix is brought to; None: it stays as it is
    share: Share = field(default_factory=Share)
    after: tuple[str, ...] = ()
    time_limit_s: float | None = None
    outputs: tuple[OutputFile, ...] = ()
    subtitles: Subtitles = field(default_factory=Subtitles)
    metadata: FileMetadata = field(default_factory=FileMetadata)

    def __post_init__(self) -> None:
        if violations := tuple(spec_violations(self)):
            raise InvalidRequestError(violations)

    @property
    def files(self) -> tuple[OutputFile, ...]:
        """What the job makes: at least one file."""
        return self.outputs or (FilmFile(encoding=Encoding.of(self.settings)),)

    @property
    def ending(self) -> str:
        """How the name of the first file ends, without the dot."""
        return ending_of(self.files[0], self.settings)

    @property
    def frames_total(self) -> int:
        """How many frames are captured."""
        return sum(len(frames) for frames in wanted_frames(self.frames, self.files))


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
    """The root cause of a job's failure, and pictures that show it, of a coordinator's term."""

    reason: str
    message: str
    detail: str = ""
    chunk_index: int | None = None
    pictures: tuple[StoredPicture, ...] = ()
    term: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutput:
    """A finished file of a job that names its outputs; these are in that order."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The facts of a finished video: of the first file, if there are more.

    `term` is that of the coordinator that has made it: it tells this file from one that another
    coordinator has made of the same job, and that nobody is to see.
    """

    size_bytes: int
    sha256: str
    frames: int
    width_px: int
    height_px: int
    warnings: tuple[str, ...] = ()  # what the page did not get, each once
    manifest: StoredFile | None = None  # of its frames; older versions wrote none
    files: tuple[StoredOutput, ...] = ()  # all that was made, where the job names its outputs
    term: int = 0


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

    @property
    def ends_at(self) -> datetime | None:
        """When its time is over."""
        limit_s = self.spec.time_limit_s
        return None if limit_s is None else self.created_at + timedelta(seconds=limit_s)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeld:
    """The job cannot go on now, through no fault of its own; it does so by itself."""

    reason: str
    message: str


Event = StateChanged | ProgressMade | ChunkMoved | PageLogged | HistoryFound | JobHeld


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """An event with its place in the job's log. Sequences count from 1, without gaps."""

    sequence: int
    at: datetime
    event: Event


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
    if job.state is JobState.ABORTING:  # what came after the first cause is its consequence
        error = job.error
    return replace(job, state=state, error=error, ended_at=at if state.is_final else None)
