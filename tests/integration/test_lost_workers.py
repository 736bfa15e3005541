"""Workers that fall silent, in every way a process can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest

from executors import grpc_worker, worker_call
from executors.base import AttemptLost, ChunkEvent, ChunkResult, FramesDone
from executors.errors import Retry
from executors.scheduling import scheduler
from executors.status import error_of
from executors.transfer import send_bundle
from framefarm.patience import was_lost
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.bundle import BundleStore
from renderer.composition import BundleEntry, Composition
from serving.channel import open_channel
from tests.support.eventually import eventually
from tests.support.farm import grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import PAGE, a_bundle, a_task
from tests.support.worker_process import WorkerProcess, worker_process

Fate = Callable[[WorkerProcess], None]
FATES = [WorkerProcess.kill, WorkerProcess.freeze, WorkerProcess.get_stuck]


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_worker, "ASK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(scheduler, "SILENCE_LIMIT_S", 1.0)
    monkeypatch.setattr(worker_call, "ABORT_GRACE_S", 1.0)


def a_big_bundle(bundles: BundleStore, folder: Path) -> BundleEntry:
    return a_bundle(bundles, folder / "page", text="x" * (64 << 20))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A chunk on a worker in a process of its own, while another worker stands by."""

    worker: WorkerProcess
    rendering: asyncio.Task[ChunkResult]
    events: list[ChunkEvent]

    def saw(self, kind: type[ChunkEvent]) -> bool:
        return any(isinstance(event, kind) for event in self.events)


@asynccontextmanager
async def a_scene(
    folder: Path, bundles: BundleStore, *, composition: Composition = PAGE
) -> AsyncGenerator[Scene]:
    events: list[ChunkEvent] = []
    async with (
        worker_process() as worker,
        running_worker(PictureRenderer()) as other,
        grpc_executor([worker.address, other.address], bundles) as (executor, fleet),
    ):
        other.attempts.draining = True
        await eventually(lambda: all(worker.slots for worker in fleet.workers))
        task = a_task(0, 60, frame_s=0.02, composition=composition)
        rendering = asyncio.create_task(
            executor.render(task, folder / "out.mp4", on_progress=events.append)
        )
        await eventually(lambda: bool(events))
        other.attempts.draining = False
        yield Scene(worker=worker, rendering=rendering, events=events)


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("fate", FATES)
async def test_a_lost_workers_chunk_is_rendered_elsewhere(
    tmp_path: Path, bundles: BundleStore, fate: Fate
) -> None:
    async with a_scene(tmp_path, bundles) as scene:
        await eventually(lambda: scene.saw(FramesDone))
        fate(scene.worker)

        async with asyncio.timeout(60):
            await scene.rendering

    assert [type(event) for event in scene.events].count(AttemptLost) == 1
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(60))


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("fate", FATES)
async def test_a_worker_lost_before_it_has_the_bundle_is_replaced(
    tmp_path: Path, bundles: BundleStore, fate: Fate
) -> None:
    page = a_big_bundle(bundles, tmp_path)
    async with a_scene(tmp_path, bundles, composition=page) as scene:
        fate(scene.worker)

        async with asyncio.timeout(60):
            await scene.rendering

    assert [type(event) for event in scene.events].count(AttemptLost) == 1


async def test_a_connection_that_breaks_under_an_upload_is_lost_and_nobodys_fault(
    tmp_path: Path, bundles: BundleStore
) -> None:
    page = a_big_bundle(bundles, tmp_path)
    async with worker_process() as worker, open_channel(worker.address) as channel:
        stub: worker_pb2_grpc.RenderWorkerAsyncStub = worker_pb2_grpc.RenderWorkerStub(channel)
        manifest = bundles.manifest(page.digest)

        def blob_then_kill(sha256: str) -> Path:
            asyncio.get_running_loop().call_later(0.02, worker.kill)
            return bundles.blob(sha256)

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await send_bundle(stub, manifest, blob_then_kill)

    assert error_of(caught.value).retry is Retry.INTERRUPTION
    assert was_lost(caught.value)


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("fate", [WorkerProcess.freeze, WorkerProcess.get_stuck])
async def test_a_cancel_waits_no_longer_than_the_grace_for_a_silent_worker(
    tmp_path: Path, bundles: BundleStore, fate: Fate
) -> None:
    async with a_scene(tmp_path, bundles) as scene:
        await eventually(lambda: scene.saw(FramesDone))
        fate(scene.worker)
        began_s = time.monotonic()
        scene.rendering.cancel()
        await asyncio.wait([scene.rendering])
        took_s = time.monotonic() - began_s

    assert scene.rendering.cancelled()
    assert took_s < 10  # and not for as long as a connection that is silent is borne


async def test_a_frozen_process_is_noticed_by_the_connection_alone() -> None:
    async with worker_process() as worker, open_channel(worker.address) as channel:
        stub: worker_pb2_grpc.RenderWorkerAsyncStub = worker_pb2_grpc.RenderWorkerStub(channel)
        uploading = stub.UploadBundle()
        reading = asyncio.create_task(uploading.read())
        await channel.channel_ready()
        worker.freeze()

        async with asyncio.timeout(120):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await reading

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
