"""GrpcExecutor: renders on a fleet of workers, and tries again where that may help."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import grpc.aio

from renderer.composition import BundleEntry

from .balance import Wish
from .base import (
    AttemptLost,
    AttemptStarted,
    ChunkEvent,
    ChunkResult,
    ChunkTask,
    OnProgress,
    WarmPage,
)
from .chunk_call import ChunkCall
from .discovery import discovery
from .errors import BundleAbsentError, ExecutorError, Retry, WorkerUnfitError
from .fleet import open_fleet
from .probe_call import ProbeCall
from .retry import Budget, told_whole
from .status import error_of

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection
    from pathlib import Path

    from renderer.bundle import BundleStore
    from renderer.history import ProbeResult

    from .fleet import Fleet
    from .link import WorkerLink
    from .plugins import ExecutorContext
    from .worker_call import WorkerCall

    MakeCall = Callable[[ChunkTask, str, OnProgress], WorkerCall[T]]

log = logging.getLogger(__name__)


class GrpcExecutor:
    """Sends chunks to free slots of a fleet, one channel a worker.

    What goes wrong on the way (a worker that dies, a full slot) costs another attempt elsewhere;
    what would go wrong anywhere (a page's error) is raised at once.
    """

    def __init__(self, fleet: Fleet, bundles: BundleStore) -> None:
        self.fleet = fleet
        self._bundles = bundles

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        def call(attempt: ChunkTask, worker: str, hear: OnProgress) -> ChunkCall:
            return ChunkCall(attempt, output, worker=worker, on_progress=hear)

        async with self.fleet.job(task.job_id):
            return await self._until_done(task, call, on_progress)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        def call(attempt: ChunkTask, worker: str, hear: OnProgress) -> ProbeCall:
            return ProbeCall(attempt, worker=worker, on_progress=hear)

        async with self.fleet.job(task.job_id):
            return await self._until_done(task, call, lambda _: None)

    async def end_job(self, job_id: str) -> None:
        await self.fleet.end_job(job_id)

    async def _until_done(
        self, task: ChunkTask, make_call: MakeCall[T], on_progress: OnProgress
    ) -> T:
        budget, failed = Budget(), set[str]()
        while True:
            async with self.fleet.lease(_wish(task, failed)) as worker:
                on_progress(AttemptStarted(worker.address, task.attempt))
                try:
                    return await self._attempt(task, make_call, worker, on_progress)
                except ExecutorError as error:
                    budget = budget.after(error, worker.address)
                    if not budget.allows(error):
                        raise told_whole(error, budget) from error
                    self._mind(error, worker, task)
                    failed.add(worker.address)
                    on_progress(AttemptLost(worker.address, task.attempt, str(error)))
            task = replace(task, attempt=task.attempt + 1)

    async def _attempt(
        self, task: ChunkTask, make_call: MakeCall[T], worker: WorkerLink, on_progress: OnProgress
    ) -> T:
        def hear(event: ChunkEvent) -> None:
            worker.heard()
            on_progress(event)

        call = make_call(task, worker.address, hear)
        async with worker.while_heard():
            result = await self._run(call, task, worker)
        if task.has_successor:
            worker.leave_page(WarmPage(task.job_id, task.frames.stop))
        return result

    async def _run(self, call: WorkerCall[T], task: ChunkTask, worker: WorkerLink) -> T:
        await self._bring(task, worker)
        try:
            return await call.run(worker.stub)
        except BundleAbsentError:  # it has been cleaned away since
            worker.forget(_digest(task) or "")
            await self._bring(task, worker)
            return await call.run(worker.stub)

    async def _bring(self, task: ChunkTask, worker: WorkerLink) -> None:
        if digest := _digest(task):
            try:
                await worker.bring(digest, self._bundles)
            except grpc.aio.AioRpcError as error:
                raise error_of(error) from error
            except KeyError as error:
                raise BundleAbsentError(f"bundle {digest[:12]}… was never uploaded") from error

    def _mind(self, error: ExecutorError, worker: WorkerLink, task: ChunkTask) -> None:
        log.warning(
            "attempt lost",
            extra={
                "job_id": task.job_id,
                "chunk": task.index,
                "attempt": task.attempt,
                "worker": worker.address,
                "reason": error.reason,
            },
        )
        if isinstance(error, WorkerUnfitError):
            worker.unfit = str(error)
        elif error.retry in (Retry.INTERRUPTION, Retry.FREE):
            worker.rest(str(error))


@asynccontextmanager
async def open_grpc_executor(context: ExecutorContext) -> AsyncGenerator[GrpcExecutor]:
    """Open an executor on the fleet that the context names.

    Raises:
        ValueError: the workers are named wrongly.

    """
    where = discovery(context.workers)
    async with open_fleet(where, worker_wait_s=context.worker_wait_s) as fleet:
        yield GrpcExecutor(fleet, context.bundles)


def _wish(task: ChunkTask, failed: Collection[str]) -> Wish:
    return Wish(job_id=task.job_id, digest=_digest(task), start=task.frames.start, avoid=failed)


def _digest(task: ChunkTask) -> str | None:
    return task.composition.digest if isinstance(task.composition, BundleEntry) else None
