"""An executor around another one, which tries again what may help."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from .base import AttemptLost, CompositionProber, JobEnder, RenderExecutor
from .errors import ExecutorError
from .retry import Budget, told_whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress

    T = TypeVar("T")

log = logging.getLogger(__name__)


class ProbingExecutor(RenderExecutor, CompositionProber, Protocol):
    """An executor that can probe, too."""


class RetryingExecutor:
    """Renders by `inner`; a chunk has the budget that it has on a farm."""

    def __init__(self, inner: ProbingExecutor, *, name: str) -> None:
        self._inner = inner
        self._name = name

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        def attempt(task: ChunkTask) -> Awaitable[ChunkResult]:
            return self._inner.render(task, output, on_progress=on_progress)

        return await self._until_done(task, attempt, on_progress)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        return await self._until_done(task, self._inner.probe, lambda _: None)

    async def end_job(self, job_id: str) -> None:
        if isinstance(self._inner, JobEnder):
            await self._inner.end_job(job_id)

    async def _until_done(
        self, task: ChunkTask, attempt: Callable[[ChunkTask], Awaitable[T]], hear: OnProgress
    ) -> T:
        budget = Budget()
        while True:
            try:
                return await attempt(task)
            except ExecutorError as error:
                budget = budget.after(error, self._name)
                if not budget.allows(error):
                    raise told_whole(error, budget) from error
                facts = {"job_id": task.job_id, "chunk": task.index, "reason": error.reason}
                log.warning("attempt lost", extra=facts)
                hear(AttemptLost(self._name, task.attempt, str(error)))
            task = replace(task, attempt=task.attempt + 1)
