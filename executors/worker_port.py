"""WorkerPort: the way to one worker, as a fleet sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress, WarmPage


@dataclass(frozen=True, slots=True, order=True)
class Token:
    """What tells two attempts at a chunk apart. The higher one wins wherever they meet."""

    term: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAttempt:
    """An attempt that a worker says it has: it runs, or its result waits to be fetched.

    One that is filmed has no slot any more.
    """

    job_id: str
    index: int
    token: Token
    frames: int = 0
    is_finished: bool = False
    is_filmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What a worker says of itself."""

    name: str
    version: str
    fingerprint: str
    slots: int
    free_slots: int
    is_draining: bool = False
    attempts: tuple[ReportedAttempt, ...] = ()
    warm_pages: tuple[WarmPage, ...] = ()
    instance: str = ""  # of this start; "": an older version, which does not tell


class WorkerPort(Protocol):
    """One worker. All methods but `end_job` and `close` raise ExecutorErrors, and nothing else.

    A cancelled `render`, `attach` or `probe` has ended the work on the worker before the
    cancellation goes on, or has waited long enough for its acknowledgement.
    """

    async def ask(self) -> WorkerReport:
        """What the worker is and does."""
        ...

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult: ...

    async def attach(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        """Take up the attempt of the task's token, which the worker has already."""
        ...

    async def probe(self, task: ChunkTask) -> ProbeResult: ...

    async def end_job(self, job_id: str) -> None:
        """Say that no chunk of the job will come. Never raises."""
        ...

    async def close(self) -> None: ...


Connect = Callable[[str], WorkerPort]
