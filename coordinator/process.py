"""A coordinator process: wiring only. `framefarm coordinator` ends here."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sys
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from executors.fleet_executor import FleetExecutor
from executors.plugins import ExecutorContext, executor_named
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.bundle import BundleStore
from renderer.tools import find_ffmpeg
from serving.server import Service, open_server
from serving.stopping import stop_event

from .artifacts.bundles import KeptBundles
from .artifacts.opening import open_artifacts
from .artifacts.shelf import Shelf
from .artifacts.uploads import ShelfUploads
from .beginning import ROOM_BYTES, Beginning, HeldJobs, Waiting
from .events import EventLog
from .holds import Holds
from .job_files import PREVIEWS, FolderJobFiles
from .jobs import Jobs
from .leadership import Reign, leads_at_once, watching
from .orchestrator import RenderOrchestrator
from .patient_store import PatientStore
from .pausing import pausable
from .preview.server import open_previews
from .retention import Retention
from .service import CoordinatorService
from .standby import COORDINATOR, wait_to_lead
from .status import status_of
from .storage import DiskWatch
from .stores.place import store_place
from .watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from executors.base import RenderExecutor
    from executors.fleet import Fleet
    from executors.plugins import OpenExecutor
    from serving.server import RunningServer

    from .preview.previews import Previews
    from .settings import CoordinatorSettings
    from .stores.base import JobStore
    from .stores.place import StorePlace
    from .stores.postgresql import LeaderLock

# How long a coordinator that was followed may take to end.
_END_WITHIN_S: Final = 15.0


async def run(settings: CoordinatorSettings, open_executor: OpenExecutor | None = None) -> None:
    """Serve until told to stop. The address goes to stdout, as its first line.

    Chunks are rendered by the executor that `open_executor` opens, or by the one that is named.

    Raises:
        MissingToolError: this machine has no ffmpeg.
        ListenError: the address cannot be used.
        ValueError: the workers, the executor or the store are named wrongly.
        StorageDownError: the artifact store cannot be reached, or refuses us.
        StoreDownError, StoreUnfitError: the store cannot be opened; the message says what to do.
        LostLeadershipError: another coordinator leads.

    """
    open_executor = open_executor or executor_named(settings.executor)
    place = store_place(settings.store, settings.data_dir, patience_s=settings.store_patience_s)
    async with AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_event(until_stdin_closes=settings.until_stdin_closes))
        lock = await stack.enter_async_context(place.open_lock())
        stood_by_at = await _time_to_lead(settings, lock, stopping)
        if stopping.is_set():
            return
        kept = await _opened(settings, place, stack)
        if lock is None:
            term, stood_by_at = await _begin(settings, kept, place.folder, stopping)
            if stopping.is_set():
                return
        else:
            term = await kept.store.begin_term()
        service = await stack.enter_async_context(_service(settings, kept, term, open_executor))
        server = await stack.enter_async_context(
            open_server(stood_by_at or settings.listen, [_registered(service)], status_of=status_of)
        )
        if not stood_by_at:
            _announce(server.address)
        if lock is not None:
            await _keep_watch(stack, Reign(lock, term), server, stopping)
        await _serve_until(stopping, server)


async def _serve_until(stopping: asyncio.Event, server: RunningServer) -> None:
    # What the imports made stays for good: the collector need not look at it time and again,
    # which was 0.35 CPU s in a render of 150 frames (benchmarks/results/where-time-goes.md).
    gc.freeze()
    await stopping.wait()
    await server.say_not_serving()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Where everything is kept."""

    store: JobStore
    shelf: Shelf
    bundles: BundleStore


async def _opened(settings: CoordinatorSettings, place: StorePlace, stack: AsyncExitStack) -> _Kept:
    bundles = await asyncio.to_thread(BundleStore, settings.data_dir)
    store = await stack.enter_async_context(place.open_store())
    artifacts = await open_artifacts(settings.artifacts, settings.data_dir)
    return _Kept(store=store, shelf=Shelf(settings.data_dir, artifacts), bundles=bundles)


def _context(settings: CoordinatorSettings, kept: _Kept, term: int) -> ExecutorContext:
    return ExecutorContext(
        bundles=kept.bundles,
        environment=os.environ,
        workers=settings.workers,
        worker_wait_s=settings.worker_wait_s,
        user_slots=settings.user_slots,
        slots=settings.slots,
        term=term,
        uploads=None if kept.shelf.is_here else ShelfUploads(kept.shelf),
    )


async def _begin(
    settings: CoordinatorSettings, kept: _Kept, folder: Path, stopping: asyncio.Event
) -> tuple[int, str | None]:
    """Begin a term: its number, and the address at which room was waited for, if it had to be."""
    room_bytes = min(ROOM_BYTES, settings.min_free_bytes)
    beginning = Beginning(kept.store, folder, room_bytes=room_bytes)
    jobs = HeldJobs()
    if await beginning.is_done(jobs.holds):
        return beginning.term, None
    _, ffprobe = find_ffmpeg(os.environ)
    service = CoordinatorService(
        jobs=jobs,
        files=FolderJobFiles(kept.shelf),
        store=kept.store,
        events=EventLog(kept.store),
        bundles=KeptBundles(kept.bundles, kept.shelf),
        fleet=None,
        ffprobe=ffprobe,
        watchers=Watchers(most=settings.watchers),
    )
    waiting = Waiting(
        listen=settings.listen, jobs=jobs, service=_registered(service), announce=_announce
    )
    address = await beginning.wait(waiting, stopping)
    return beginning.term, address


async def _time_to_lead(
    settings: CoordinatorSettings, lock: LeaderLock | None, stopping: asyncio.Event
) -> str | None:
    """Return when this coordinator leads, with the address at which it stood by until then."""
    if lock is None or await leads_at_once(lock, patience_s=settings.store_patience_s):
        return None
    return await wait_to_lead(settings.listen, lock, stopping, announce=_announce)


async def _keep_watch(
    stack: AsyncExitStack, reign: Reign, server: RunningServer, stopping: asyncio.Event
) -> None:
    """End the process when another coordinator leads: it may be started again, to stand by."""

    async def say(is_sure: bool) -> None:
        await (server.say_serving() if is_sure else server.say_not_serving())

    def on_over() -> None:
        stopping.set()
        # Whatever does not end by itself must not go on either.
        asyncio.get_running_loop().call_later(_END_WITHIN_S, os._exit, 1)

    stack.callback(reign.check)
    await stack.enter_async_context(watching(reign, say=say, on_over=on_over))


def _announce(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


@asynccontextmanager
async def _service(
    settings: CoordinatorSettings, kept: _Kept, term: int, open_executor: OpenExecutor
) -> AsyncGenerator[CoordinatorService]:
    """The service with all that it works with, for the block."""
    context = _context(settings, kept, term)
    async with AsyncExitStack() as stack:
        executor = await stack.enter_async_context(open_executor(context))
        previews = await _opened_previews(settings, stack)
        working = _working_service(settings, kept, context, executor, previews)
        yield await stack.enter_async_context(working)


@asynccontextmanager
async def _working_service(
    settings: CoordinatorSettings,
    kept: _Kept,
    context: ExecutorContext,
    executor: RenderExecutor,
    previews: Previews | None,
) -> AsyncGenerator[CoordinatorService]:
    """The service, with its jobs at work while the block runs."""
    store, shelf = kept.store, kept.shelf
    _, ffprobe = find_ffmpeg(os.environ)
    pausing = pausable(executor)
    holds = Holds()
    patient = PatientStore(store, holds)
    events = EventLog(patient)
    files = FolderJobFiles(shelf, term=context.term)
    jobs = Jobs(
        patient,
        events,
        RenderOrchestrator(
            context.bundles, pausing, shelf=shelf, follower=previews, term=context.term
        ),
        files=files,
        new_id=new_job_id,
        utc_now=utc_now,
        most_running=settings.running_jobs,
        holds=holds,
        pauser=pausing,
        storage=DiskWatch(settings.data_dir, holds, floor_bytes=settings.min_free_bytes),
        limits=settings.limits,
    )
    bundles = KeptBundles(context.bundles, shelf)
    retention = Retention(
        settings.keeping, jobs=jobs, store=patient, files=files, bundles=bundles, utc_now=utc_now
    )
    async with jobs.working(), retention.working():
        yield CoordinatorService(
            jobs=jobs,
            files=files,
            store=store,
            events=events,
            bundles=bundles,
            fleet=_fleet(executor),
            ffprobe=ffprobe,
            term=context.term,
            watchers=Watchers(most=settings.watchers),
            previews=previews,
        )


async def _opened_previews(settings: CoordinatorSettings, stack: AsyncExitStack) -> Previews | None:
    folder = settings.data_dir / PREVIEWS
    if not settings.preview:  # an earlier process may have had some
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return None
    ffmpeg, ffprobe = find_ffmpeg(os.environ)
    serving = open_previews(settings.preview, folder, ffmpeg=ffmpeg, ffprobe=ffprobe)
    return await stack.enter_async_context(serving)


def new_job_id() -> str:
    return uuid.uuid4().hex[:12]


def utc_now() -> datetime:
    return datetime.now(UTC)


def _fleet(executor: RenderExecutor) -> Fleet | None:
    """The workers that can be listed; other executors keep theirs to themselves."""
    return executor.fleet if isinstance(executor, FleetExecutor) else None


def _registered(service: CoordinatorService) -> Service:
    add = coordinator_pb2_grpc.add_RenderCoordinatorServicer_to_server
    return Service(name=COORDINATOR, add=partial(add, service))
