"""GrpcExecutor: renders on a fleet of workers, and tries again where that may help."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from serving.channel import new_channel

from .discovery import discovery
from .fleet import open_fleet
from .grpc_worker import GrpcWorker
from .orders import AttemptFiles, ChunkOrder, FilesOnDisk, ProbeOrder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from renderer.bundle import BundleStore
    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress
    from .fleet import Fleet
    from .plugins import ExecutorContext
    from .worker_port import Connect


class GrpcExecutor:
    """Sends chunks to free slots of a fleet.

    What goes wrong on the way (a worker that dies, a full slot) costs another attempt elsewhere;
    what would go wrong anywhere (a page's error) is raised at once.
    """

    def __init__(self, fleet: Fleet, files: AttemptFiles | None = None) -> None:
        self.fleet = fleet
        self._files = files or FilesOnDisk()

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        order = ChunkOrder(task, output, self._files, on_progress=on_progress)
        return await self.fleet.carry_out(order)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        return await self.fleet.carry_out(ProbeOrder(task))

    async def end_job(self, job_id: str) -> None:
        await self.fleet.end_job(job_id)

    def pause_job(self, job_id: str) -> None:
        self.fleet.pause_job(job_id)

    def resume_job(self, job_id: str) -> None:
        self.fleet.resume_job(job_id)


@asynccontextmanager
async def open_grpc_executor(context: ExecutorContext) -> AsyncGenerator[GrpcExecutor]:
    """Open an executor on the fleet that the context names.

    Raises:
        ValueError: the workers are named wrongly.

    """
    opening = open_fleet(
        discovery(context.workers),
        connect_to(context.bundles, term=context.term),
        worker_wait_s=context.worker_wait_s,
        term=context.term,
    )
    async with opening as fleet:
        yield GrpcExecutor(fleet)


def connect_to(bundles: BundleStore, *, term: int = 0) -> Connect:
    """How to reach workers, which are brought the bundles that they need."""
    return lambda address: GrpcWorker(address, new_channel(address), bundles, term=term)
