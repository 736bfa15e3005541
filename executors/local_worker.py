"""LocalWorker: this process as the only worker of a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .base import AttemptStarted, JobEnder, RenderExecutor
from .errors import AttemptNotFoundError
from .worker_port import WorkerReport

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.history import ProbeResult

    from .base import ChunkEvent, ChunkResult, ChunkTask, OnProgress


class LocalProber(RenderExecutor, Protocol):
    """An executor of this process, which can probe, too."""

    async def probe(self, task: ChunkTask) -> ProbeResult: ...


class LocalWorker:
    """A WorkerPort without a wire. A queue, pauses and second tries are its fleet's."""

    def __init__(self, executor: LocalProber, report: WorkerReport) -> None:
        self._executor = executor
        self._report = report

    async def ask(self) -> WorkerReport:
        return self._report

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        def hear(event: ChunkEvent) -> None:
            if not isinstance(event, AttemptStarted):  # the fleet has told it
                on_progress(event)

        return await self._executor.render(task, output, on_progress=hear)

    async def attach(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        del output, on_progress
        raise AttemptNotFoundError(f"chunk {task.index}: nothing here outlives its caller")

    async def probe(self, task: ChunkTask) -> ProbeResult:
        return await self._executor.probe(task)

    async def end_job(self, job_id: str) -> None:
        if isinstance(self._executor, JobEnder):
            await self._executor.end_job(job_id)

    async def close(self) -> None:
        """Whoever opened the executor closes it."""
