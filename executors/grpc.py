"""GrpcExecutor: renders on a fleet of workers over gRPC."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from serving.channel import new_channel

from .discovery import discovery
from .fleet import open_fleet
from .fleet_executor import FleetExecutor
from .grpc_worker import GrpcWorker
from .orders import FilesOnDisk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.bundle import BundleStore

    from .plugins import ExecutorContext
    from .uploads import ChunkUploads
    from .worker_port import Connect


class GrpcExecutor(FleetExecutor):
    """Sends chunks to free slots of workers elsewhere, one channel a worker."""


@asynccontextmanager
async def open_grpc_executor(context: ExecutorContext) -> AsyncGenerator[GrpcExecutor]:
    """Open an executor on the fleet that the context names.

    Raises:
        ValueError: the workers are named wrongly.

    """
    opening = open_fleet(
        discovery(context.workers),
        connect_to(context.bundles, term=context.term, uploads=context.uploads),
        worker_wait_s=context.worker_wait_s,
        term=context.term,
        user_slots=context.user_slots,
    )
    async with opening as fleet:
        yield GrpcExecutor(fleet, FilesOnDisk(term=context.term))


def connect_to(
    bundles: BundleStore, *, term: int = 0, uploads: ChunkUploads | None = None
) -> Connect:
    """How to reach workers, which are brought the bundles that they need."""
    return lambda address: GrpcWorker(
        address, new_channel(address), bundles, term=term, uploads=uploads
    )
