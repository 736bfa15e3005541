"""RenderExecutor: the seam between the orchestrator and whatever renders a chunk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from renderer.edges import Edges
from renderer.events import Filmed, FramesDone, PageLog

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.audio.passages import SoundReport
    from renderer.composition import Composition
    from renderer.frames import FrameRange
    from renderer.history import ProbeResult
    from renderer.settings import RenderSettings

__all__ = [
    "AttemptLost",
    "AttemptStarted",
    "ChunkEvent",
    "ChunkResult",
    "ChunkTask",
    "CompositionProber",
    "Edges",
    "Filmed",
    "FramesDone",
    "JobEnder",
    "JobPauser",
    "OnProgress",
    "PageKeeper",
    "PageLog",
    "RenderExecutor",
    "Share",
    "WarmPage",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a farm a job may have.

    Jobs of a higher `priority` (0…100) come first. Those of one priority share evenly between their
    users, and a user's jobs by `weight`. `most_slots` limits the chunks that run at once.
    """

    user: str = ""
    priority: int = 50
    weight: float = 1.0
    most_slots: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkTask:
    """A chunk with all that an executor needs to render it, wherever it runs.

    `frames` are numbered in the composition, whose frame 0 is time 0. Attempts count from 1; an
    executor that tries a task again raises the number, and a worker lets the highest one win.
    `has_successor`: another chunk follows, as a rule where this one ends, so the next picture is
    wanted too, as a digest; and the page, which is on its way there. `paints_all`: a chunk like
    this did not fit to its neighbours; leave out nothing on the way to its first frame, and keep
    the pictures of its edges.

    An attempt's token is (`term`, `attempt`): the higher one wins on a worker. `term` counts the
    coordinators that have led, one after the other; 0 is a caller without one. `share` is how much
    of a farm the job may have, and `ends_at_s` when its time is over, by the event loop. `fits` is
    the fingerprint of the job's chunks that are there, if any are: what another engine renders
    would not fit them. `avoid` are workers whose file of the chunk was not what was asked for.
    `upload_url` is where the attempt's file may be brought with a PUT, instead of being sent.
    """

    job_id: str
    index: int
    attempt: int = 1
    composition: Composition
    frames: FrameRange
    settings: RenderSettings
    has_successor: bool = False
    paints_all: bool = False
    term: int = 0
    share: Share = Share()
    ends_at_s: float | None = None
    fits: str = ""
    avoid: tuple[str, ...] = ()
    upload_url: str = field(default="", repr=False)  # whoever has it may write there


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """What became of a chunk task: the facts of the file that stands at `output`.

    An executor that knows the pictures themselves tells the sha256 of each, and of the successor's
    first one; others leave these empty, and the chunk's seams are not checked. `edges` are for
    tasks that paint all.

    One that knows what the page let be heard tells it in `sounds`. Files that it hands over stand
    in a folder "sounds" beside the chunk's file, which all chunks of a job share, each by the name
    of its sha256.

    `artifact` is the key by which the artifact store holds the file already, where its worker has
    brought it there itself.
    """

    index: int
    frames: int
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str
    fingerprint: str
    worker: str
    seconds: float
    warnings: tuple[str, ...] = ()  # what the page did not get, each once
    attempt: int = 1
    frame_digests: tuple[str, ...] = ()
    next_frame_digest: str = ""
    sounds: SoundReport | None = None
    edges: Edges = field(default_factory=Edges, repr=False)
    artifact: str = ""
    strategy: str = ""  # how its pictures were taken, and why by no better way


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt has a place to run."""

    worker: str
    attempt: int


@dataclass(frozen=True, slots=True)
class AttemptLost:
    """An attempt ended without a result, and another one follows. Its frames start again at 0."""

    worker: str
    attempt: int
    reason: str


ChunkEvent = FramesDone | Filmed | PageLog | AttemptStarted | AttemptLost
OnProgress = Callable[[ChunkEvent], None]


class RenderExecutor(Protocol):
    """Renders chunk tasks somewhere. Safe to call many times at once."""

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        """Render the chunk to a video file at `output`.

        The finished chunk stands at `output` when this returns; nothing stands there when it
        raises. Cancellation is asyncio's: the work has stopped, wherever it ran, before the
        `CancelledError` goes on. `on_progress` is called from this event loop and must not block.

        Raises:
            ExecutorError: and nothing else; it knows whether another attempt may help.

        """
        ...


@runtime_checkable
class CompositionProber(Protocol):
    """What an executor may be, too: one that finds out about a page before its job is planned."""

    async def probe(self, task: ChunkTask) -> ProbeResult:
        """Find out whether the page shows the same in each session, and after a jump.

        The task's frames are all that are wanted of the page; it is no chunk, and has an index
        that no chunk of the job has. Cancellation is as in `RenderExecutor.render`.

        Raises:
            ExecutorError: and nothing else.

        """
        ...


@dataclass(frozen=True, slots=True)
class WarmPage:
    """A page of a job that stands open. A chunk that begins at `from_frame` or later may use it."""

    job_id: str
    from_frame: int


@runtime_checkable
class JobEnder(Protocol):
    """What an executor may be, too: one that keeps something for the next chunk of a job."""

    async def end_job(self, job_id: str) -> None:
        """No chunk of the job runs or will come: let go of what is kept for it. Never raises."""
        ...


@runtime_checkable
class JobPauser(Protocol):
    """What an executor may be, too: one that can hold back the chunks of a job."""

    def pause_job(self, job_id: str) -> None:
        """Begin no chunk of the job until `resume_job`; those that run go on. Never raises."""
        ...

    def resume_job(self, job_id: str) -> None: ...


@runtime_checkable
class PageKeeper(JobEnder, Protocol):
    """An executor that keeps pages open between the chunks of a job."""

    @property
    def warm_pages(self) -> tuple[WarmPage, ...]:
        """The pages that no chunk uses now."""
        ...
