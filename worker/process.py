"""A worker process: wiring only. `framefarm worker` ends here."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import uuid
from contextlib import AsyncExitStack
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from executors.local import LocalExecutor
from executors.status import status_of
from protos.framefarm.v1 import worker_pb2, worker_pb2_grpc
from renderer.bundle import BundleStore
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.tasks import beside
from renderer.tools import find_tools
from serving.server import Service, open_server
from serving.stopping import stop_event

from .attempts import open_attempts
from .bundle_cache import BundleCache, default_limit_bytes
from .cgroup import limits, slots_for
from .scratch import open_scratch
from .service import Identity, WorkerService

if TYPE_CHECKING:
    from .attempts import Attempts
    from .cgroup import Limits
    from .settings import WorkerSettings


async def run(settings: WorkerSettings) -> None:
    """Serve until told to stop; then drain. The address goes to stdout, as its first line.

    Raises:
        MissingToolError: this machine cannot render.
        ListenError: the address cannot be used.

    """
    adopt_orphans()
    async with AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_event(until_stdin_closes=settings.until_stdin_closes))
        attempts, service = await _opened(settings, stack)
        server = await stack.enter_async_context(
            open_server(settings.listen, [_registered(service)], status_of=status_of)
        )
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        # What the imports made stays for good: the collector need not look at it time and again,
        # which was 0.35 CPU s in a render of 150 frames (benchmarks/results/where-time-goes.md).
        gc.freeze()
        await stopping.wait()
        attempts.draining = True
        await server.say_not_serving()
        # Whoever started us is gone, and with them whoever waits for what runs here.
        drain_s = 0 if settings.until_stdin_closes else settings.drain_timeout_s
        await attempts.drain(drain_s)


async def _opened(
    settings: WorkerSettings, stack: AsyncExitStack
) -> tuple[Attempts, WorkerService]:
    tools = find_tools(os.environ)
    name = settings.name or socket.gethostname()
    may_use = await asyncio.to_thread(limits)
    slots = settings.slots or slots_for(may_use)
    bundles = await asyncio.to_thread(_bundle_cache, settings)
    stack.enter_context(bundles.open())
    scratch = stack.enter_context(open_scratch(limit_bytes=settings.scratch_bytes, slots=slots))
    renderer = await stack.enter_async_context(
        open_renderer(
            bundles.store,
            tools,
            sandbox=settings.sandbox,
            frame_timeout_s=settings.frame_timeout_s,
            limits=settings.warm_limits(slots, may_use),
        )
    )
    await stack.enter_async_context(beside(renderer.start_browsers()))
    attempts = await stack.enter_async_context(open_attempts(slots, detach_s=settings.detach_s))
    service = WorkerService(
        LocalExecutor(renderer, slots=slots, name=name),
        attempts,
        _identity(name, renderer.fingerprint, may_use),
        bundles=bundles,
        scratch=scratch,
    )
    return attempts, service


def _bundle_cache(settings: WorkerSettings) -> BundleCache:
    store = BundleStore(settings.data_dir)
    limit_bytes = settings.bundle_bytes or default_limit_bytes(settings.data_dir)
    return BundleCache(store, limit_bytes=limit_bytes)


def _identity(name: str, fingerprint: str, may_use: Limits) -> Identity:
    return Identity(
        name=name,
        version=version("framefarm"),
        fingerprint=fingerprint,
        limits=may_use,
        instance=uuid.uuid4().hex,
    )


def _registered(service: WorkerService) -> Service:
    name = worker_pb2.DESCRIPTOR.services_by_name["RenderWorker"].full_name
    return Service(
        name=name, add=partial(worker_pb2_grpc.add_RenderWorkerServicer_to_server, service)
    )
