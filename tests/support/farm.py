"""Workers and a coordinator in this process, over real gRPC on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from coordinator import status as coordinator_status
from coordinator.artifacts.bundles import KeptBundles
from coordinator.artifacts.opening import open_artifacts
from coordinator.artifacts.shelf import Shelf
from coordinator.artifacts.uploads import ShelfUploads
from coordinator.events import EventLog
from coordinator.holds import Holds
from coordinator.job_files import FolderJobFiles
from coordinator.jobs import Jobs
from coordinator.orchestrator import RenderOrchestrator
from coordinator.patient_store import PatientStore
from coordinator.pausing import PausableExecutor, pausable
from coordinator.process import new_job_id, utc_now
from coordinator.service import CoordinatorService
from coordinator.stores.sql import SqlJobStore
from coordinator.stores.sqlite import open_sqlite_store
from coordinator.watchers import Watchers
from executors.discovery import FixedWorkers
from executors.fleet import Fleet, open_fleet
from executors.grpc import GrpcExecutor, connect_to
from executors.local import ChunkRenderer, LocalExecutor
from executors.status import status_of
from executors.uploads import ChunkUploads
from protos.framefarm.v1 import coordinator_pb2_grpc, worker_pb2_grpc
from renderer.bundle import BundleStore
from serving.server import RunningServer, Service, open_server
from worker.attempt import DETACH_S
from worker.attempts import Attempts, open_attempts
from worker.bundle_cache import BundleCache
from worker.cgroup import limits
from worker.scratch import Scratch
from worker.service import Identity, WorkerService

from .chunks import FFPROBE
from .eventually import eventually


@dataclass(frozen=True, kw_only=True)
class TestWorker:
    __test__ = False

    address: str
    attempts: Attempts
    bundles: BundleStore
    server: RunningServer


@asynccontextmanager
async def running_worker(
    renderer: ChunkRenderer,
    *,
    slots: int = 1,
    listen: str = "127.0.0.1:0",
    name: str = "w",
    detach_s: float = DETACH_S,
    bundle_bytes: int = 1 << 30,
    chunk_bytes: int | None = None,
    disk: Path | None = None,
) -> AsyncGenerator[TestWorker]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=disk)))
        bundles = BundleStore(folder / "data")
        attempts = await stack.enter_async_context(open_attempts(slots, detach_s=detach_s))
        service = WorkerService(
            LocalExecutor(renderer, slots=slots, name=name),
            attempts,
            Identity(
                name=name,
                version="test",
                fingerprint=renderer.fingerprint,
                limits=limits(),
                instance=uuid4().hex,
            ),
            bundles=BundleCache(bundles, limit_bytes=bundle_bytes),
            scratch=Scratch(folder, chunk_bytes=chunk_bytes),
        )
        add = partial(worker_pb2_grpc.add_RenderWorkerServicer_to_server, service)
        registered = Service(name="framefarm.v1.RenderWorker", add=add)
        server = await stack.enter_async_context(
            open_server(listen, [registered], status_of=status_of)
        )
        yield TestWorker(address=server.address, attempts=attempts, bundles=bundles, server=server)


@asynccontextmanager
async def grpc_executor(
    addresses: Sequence[str],
    bundles: BundleStore,
    *,
    worker_wait_s: float = 60.0,
    term: int = 0,
    uploads: ChunkUploads | None = None,
) -> AsyncGenerator[tuple[GrpcExecutor, Fleet]]:
    discovery = FixedWorkers(frozenset(addresses))
    connect = connect_to(bundles, term=term, uploads=uploads)
    opening = open_fleet(discovery, connect, worker_wait_s=worker_wait_s, term=term)
    async with opening as fleet:
        yield GrpcExecutor(fleet), fleet


@dataclass(frozen=True, kw_only=True)
class TestCoordinator:
    __test__ = False

    address: str
    jobs: Jobs
    service: CoordinatorService
    files: FolderJobFiles
    store: SqlJobStore
    bundles: BundleStore
    fleet: Fleet


async def all_asked(fleet: Fleet) -> None:
    """Wait until it is known of each worker what it is, or what is wrong with it."""
    await eventually(lambda: all("not asked" not in each.problem for each in fleet.workers))


async def all_serve(fleet: Fleet) -> None:
    """Wait until all workers are there: what then comes is for all of them."""
    await eventually(lambda: all(worker.is_serving for worker in fleet.workers))


def a_desk(
    store: SqlJobStore,
    bundles: BundleStore,
    executor: PausableExecutor,
    shelf: Shelf,
    **options: Any,
) -> tuple[EventLog, Jobs]:
    holds = options.get("holds") or Holds()
    patient = PatientStore(store, holds)
    events = EventLog(patient)
    wired: dict[str, Any] = {
        "files": FolderJobFiles(shelf),
        "new_id": new_job_id,
        "utc_now": utc_now,
        "most_running": 8,
        "holds": holds,
        "pauser": executor,
    }
    runner = RenderOrchestrator(bundles, executor, shelf=shelf)
    return events, Jobs(patient, events, runner, **{**wired, **options})


@asynccontextmanager
async def running_coordinator(
    workers: Sequence[str],
    data_dir: Path,
    *,
    worker_wait_s: float = 60.0,
    most_watchers: int = 100,
    stalled_s: float = 60.0,
    artifacts: str = "",
    **options: Any,
) -> AsyncGenerator[TestCoordinator]:
    """Serve a coordinator; `options` are for its Jobs."""
    async with AsyncExitStack() as stack:
        bundles = BundleStore(data_dir)
        store = await stack.enter_async_context(open_sqlite_store(data_dir / "jobs.sqlite"))
        shelf = Shelf(data_dir, await open_artifacts(artifacts, data_dir))
        uploads = ShelfUploads(shelf) if artifacts else None
        executor, fleet = await stack.enter_async_context(
            grpc_executor(workers, bundles, worker_wait_s=worker_wait_s, uploads=uploads)
        )
        events, jobs = a_desk(store, bundles, pausable(executor), shelf, **options)
        files = FolderJobFiles(shelf)
        await stack.enter_async_context(jobs.working())
        service = CoordinatorService(
            jobs=jobs,
            files=files,
            store=store,
            events=events,
            bundles=KeptBundles(bundles, shelf),
            fleet=fleet,
            ffprobe=FFPROBE,
            watchers=Watchers(most=most_watchers, stalled_s=stalled_s),
        )
        server = await stack.enter_async_context(
            open_server(
                "127.0.0.1:0", [_registered(service)], status_of=coordinator_status.status_of
            )
        )
        yield TestCoordinator(
            address=server.address,
            jobs=jobs,
            service=service,
            files=files,
            store=store,
            bundles=bundles,
            fleet=fleet,
        )


def _registered(service: CoordinatorService) -> Service:
    add = partial(coordinator_pb2_grpc.add_RenderCoordinatorServicer_to_server, service)
    return Service(name="framefarm.v1.RenderCoordinator", add=add)
