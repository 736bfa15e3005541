"""A coordinator process: wiring only. `framefarm coordinator` ends here."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from executors.discovery import discovery
from executors.fleet import open_fleet
from executors.grpc import GrpcExecutor
from protos.framefarm.v1 import coordinator_pb2, coordinator_pb2_grpc
from renderer.bundle import BundleStore
from renderer.tools import find_ffmpeg
from serving.server import Service, open_server
from serving.stopping import stop_event

from .events import EventLog
from .jobs import Jobs
from .orchestrator import RenderOrchestrator
from .service import CoordinatorService
from .status import status_of
from .stores.sqlite import open_sqlite_store

if TYPE_CHECKING:
    from .settings import CoordinatorSettings


async def run(settings: CoordinatorSettings) -> None:
    """Serve until told to stop. The address goes to stdout, as its first line.

    Raises:
        MissingToolError: this machine has no ffmpeg.
        ListenError: the address cannot be used.
        ValueError: the workers are named wrongly.

    """
    _, ffprobe = find_ffmpeg(os.environ)
    where = discovery(settings.workers)
    async with AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_event(until_stdin_closes=settings.until_stdin_closes))
        outputs = settings.data_dir / "outputs"
        await asyncio.to_thread(outputs.mkdir, parents=True, exist_ok=True)
        bundles = await asyncio.to_thread(BundleStore, settings.data_dir)
        store = await stack.enter_async_context(
            open_sqlite_store(settings.data_dir / "jobs.sqlite")
        )
        fleet = await stack.enter_async_context(
            open_fleet(where, worker_wait_s=settings.worker_wait_s)
        )
        events = EventLog(store)
        jobs = Jobs(
            store,
            events,
            RenderOrchestrator(bundles, GrpcExecutor(fleet, bundles)),
            outputs=outputs,
            most_running=settings.running_jobs,
        )
        await stack.enter_async_context(jobs.working())
        service = CoordinatorService(
            jobs=jobs, store=store, events=events, bundles=bundles, fleet=fleet, ffprobe=ffprobe
        )
        server = await stack.enter_async_context(
            open_server(settings.listen, [_registered(service)], status_of=status_of)
        )
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        await stopping.wait()
        await server.say_not_serving()


def _registered(service: CoordinatorService) -> Service:
    name = coordinator_pb2.DESCRIPTOR.services_by_name["RenderCoordinator"].full_name
    add = coordinator_pb2_grpc.add_RenderCoordinatorServicer_to_server
    return Service(name=name, add=partial(add, service))
