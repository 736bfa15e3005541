"""A coordinator process: wiring only. `framefarm coordinator` ends here."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from executors.grpc import GrpcExecutor
from executors.plugins import ExecutorContext, executor_named
from protos.framefarm.v1 import coordinator_pb2, coordinator_pb2_grpc
from renderer.bundle import BundleStore
from renderer.tools import find_ffmpeg
from serving.server import Service, open_server
from serving.stopping import stop_event

from .events import EventLog
from .job_files import FolderJobFiles
from .jobs import Jobs
from .orchestrator import RenderOrchestrator
from .service import CoordinatorService
from .status import status_of
from .stores.sqlite import open_sqlite_store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from executors.base import RenderExecutor
    from executors.fleet import Fleet

    from .settings import CoordinatorSettings
    from .stores.base import JobStore


async def run(settings: CoordinatorSettings) -> None:
    """Serve until told to stop. The address goes to stdout, as its first line.

    Raises:
        MissingToolError: this machine has no ffmpeg.
        ListenError: the address cannot be used.
        ValueError: the workers or the executor are named wrongly.

    """
    open_executor = executor_named(settings.executor)
    async with AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_event(until_stdin_closes=settings.until_stdin_closes))
        bundles = await asyncio.to_thread(BundleStore, settings.data_dir)
        store = await stack.enter_async_context(
            open_sqlite_store(settings.data_dir / "jobs.sqlite")
        )
        context = ExecutorContext(
            bundles=bundles,
            environment=os.environ,
            workers=settings.workers,
            worker_wait_s=settings.worker_wait_s,
            slots=settings.slots,
            term=await store.begin_term(),
        )
        executor = await stack.enter_async_context(open_executor(context))
        service = await stack.enter_async_context(
            _working_service(settings, store, bundles, executor)
        )
        server = await stack.enter_async_context(
            open_server(settings.listen, [_registered(service)], status_of=status_of)
        )
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        await stopping.wait()
        await server.say_not_serving()


@asynccontextmanager
async def _working_service(
    settings: CoordinatorSettings,
    store: JobStore,
    bundles: BundleStore,
    executor: RenderExecutor,
) -> AsyncGenerator[CoordinatorService]:
    """The service, with its jobs at work while the block runs."""
    _, ffprobe = find_ffmpeg(os.environ)
    events = EventLog(store)
    orchestrator = RenderOrchestrator(bundles, executor)
    files = FolderJobFiles(settings.data_dir)
    jobs = Jobs(
        store,
        events,
        orchestrator,
        files=files,
        new_id=new_job_id,
        utc_now=utc_now,
        most_running=settings.running_jobs,
    )
    async with jobs.working():
        yield CoordinatorService(
            jobs=jobs,
            files=files,
            store=store,
            events=events,
            bundles=bundles,
            fleet=_fleet(executor),
            ffprobe=ffprobe,
        )


def new_job_id() -> str:
    return uuid.uuid4().hex[:12]


def utc_now() -> datetime:
    return datetime.now(UTC)


def _fleet(executor: RenderExecutor) -> Fleet | None:
    """The workers that can be listed; other executors keep theirs to themselves."""
    return executor.fleet if isinstance(executor, GrpcExecutor) else None


def _registered(service: CoordinatorService) -> Service:
    name = coordinator_pb2.DESCRIPTOR.services_by_name["RenderCoordinator"].full_name
    add = coordinator_pb2_grpc.add_RenderCoordinatorServicer_to_server
    return Service(name=name, add=partial(add, service))
