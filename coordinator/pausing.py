"""Pausing: an executor that holds back a job's chunks, around one that cannot by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from executors.base import (
    AttemptStarted,
    CompositionProber,
    JobEnder,
    JobPauser,
    RenderExecutor,
)
from executors.tasks import look_at

if TYPE_CHECKING:
    from pathlib import Path

    from executors.base import ChunkEvent, ChunkResult, ChunkTask, OnProgress
    from renderer.history import ProbeResult


class ProbingExecutor(RenderExecutor, CompositionProber, Protocol):
    """An executor that can probe, too."""


class PausableExecutor(RenderExecutor, JobPauser, Protocol):
    """An executor that can hold back the chunks of a job."""


def pausable(executor: RenderExecutor) -> PausableExecutor:
    """The executor itself, if it can hold back chunks; else one around it that can."""
    if isinstance(executor, JobPauser):
        return executor
    return _ProbingGate(executor) if isinstance(executor, CompositionProber) else _Gate(executor)


@dataclass(eq=False, slots=True)
class _Call:
    """A chunk that `inner` has been given."""

    task: asyncio.Task[ChunkResult]
    has_started: bool = False
    is_held: bool = False


class _Gate:
    """Gives `inner` no chunk of a paused job, and takes back those that have no place to run yet.

    It knows of a chunk that it has one by its AttemptStarted. One of an executor that tells none is
    taken back in the middle, and loses what was done of it.
    """

    def __init__(self, inner: RenderExecutor) -> None:
        self._inner = inner
        self._resumed: dict[str, asyncio.Event] = {}  # of paused jobs
        self._calls: dict[str, set[_Call]] = {}

    def pause_job(self, job_id: str) -> None:
        self._resumed.setdefault(job_id, asyncio.Event())
        for call in self._calls.get(job_id, ()):
            if not call.has_started:
                call.is_held = True
                call.task.cancel()

    def resume_job(self, job_id: str) -> None:
        if resumed := self._resumed.pop(job_id, None):
            resumed.set()

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        while True:
            if resumed := self._resumed.get(task.job_id):
                await resumed.wait()
            if result := await self._tried(task, output, on_progress):
                return result

    async def end_job(self, job_id: str) -> None:
        if isinstance(self._inner, JobEnder):
            await self._inner.end_job(job_id)

    async def _tried(
        self, task: ChunkTask, output: Path, on_progress: OnProgress
    ) -> ChunkResult | None:
        """The chunk; None when it was taken back."""

        def hear(event: ChunkEvent) -> None:
            call.has_started |= isinstance(event, AttemptStarted)
            on_progress(event)

        rendering = self._inner.render(task, output, on_progress=hear)
        call = _Call(asyncio.create_task(rendering, name=f"chunk-{task.index}-gated"))
        call.task.add_done_callback(look_at)
        self._calls.setdefault(task.job_id, set()).add(call)
        try:
            await asyncio.wait({call.task})
        finally:
            await self._ended(call, task.job_id)
        if call.is_held and call.task.cancelled():
            return None
        return call.task.result()

    async def _ended(self, call: _Call, job_id: str) -> None:
        calls = self._calls[job_id]
        calls.discard(call)
        if not calls:
            del self._calls[job_id]
        while not call.task.done():  # we are being cancelled, and so is what we wait for
            call.task.cancel()
            await asyncio.wait({call.task})


class _ProbingGate(_Gate):
    """Around an executor that can probe, too."""

    def __init__(self, inner: ProbingExecutor) -> None:
        super().__init__(inner)
        self._prober = inner

    async def probe(self, task: ChunkTask) -> ProbeResult:
        if resumed := self._resumed.get(task.job_id):
            await resumed.wait()
        return await self._prober.probe(task)
