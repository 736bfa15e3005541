"""A coordinator whose disk is full: the farm says so, loses nothing, and goes on with room."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from coordinator.holds import STORAGE_FULL, Holds
from coordinator.storage import DiskWatch
from executors.transfer import send_bundle
from framefarm.client import FarmClient
from framefarm.farm_status import FarmState
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.bundle import manifest_of
from renderer.frames import FrameRange
from serving.status import read
from tests.support.eventually import eventually
from tests.support.farm import TestCoordinator, running_coordinator, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.small_disk import fill, small_disk
from tests.support.tasks import a_spec

MIB = 1 << 20
FLOOR_BYTES = 256 << 10


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "disk", size_bytes=8 * MIB) as folder:
        yield folder


@asynccontextmanager
async def a_farm(
    folder: Path, renderer: PictureRenderer
) -> AsyncGenerator[tuple[FarmClient, TestCoordinator]]:
    holds = Holds()
    watch = DiskWatch(folder, holds, floor_bytes=FLOOR_BYTES)
    async with (
        running_worker(renderer) as worker,
        running_coordinator([worker.address], folder, holds=holds, storage=watch) as farm,
        FarmClient(farm.address) as client,
    ):
        yield client, farm


async def rendered(farm: TestCoordinator, job_id: str) -> str:
    """The sha256 of a job's video, when it has ended."""
    while not (job := await farm.store.get(job_id)).state.is_final:
        await asyncio.sleep(0.05)
    assert job.output is not None, job.error
    video = await asyncio.to_thread(farm.files.output(job).read_bytes)
    assert hashlib.sha256(video).hexdigest() == job.output.sha256
    return job.output.sha256


async def held(client: FarmClient) -> list[str]:
    farm = await client.farm()
    return [hold.reason for hold in farm.holds] if farm.state is FarmState.PAUSED else []


async def until_held(client: FarmClient) -> None:
    while STORAGE_FULL not in await held(client):
        await asyncio.sleep(0.05)


async def test_a_job_goes_on_when_there_is_room_again_and_its_file_is_right(
    disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "large").mkdir()
    async with a_farm(tmp_path / "large", PictureRenderer()) as (_, farm):
        job = await farm.jobs.create(a_spec(40))
        undisturbed = await asyncio.wait_for(rendered(farm, job.id), 60)

    renderer = PictureRenderer()
    async with a_farm(disk, renderer) as (client, farm):
        job = await farm.jobs.create(a_spec(40, frame_s=0.02))
        note = disk / "chunks" / job.id / "chunk-000000.json"
        while not note.exists():
            await asyncio.sleep(0.01)
        filling = fill(disk)
        await asyncio.wait_for(until_held(client), 60)
        done = list(renderer.rendered)
        await eventually(lambda: not list(disk.rglob(".part*")))

        # What fails with room that has just been made is tried again a minute later.
        await eventually(lambda: all(worker.leased == 0 for worker in farm.fleet.workers))
        filling.unlink()
        assert await asyncio.wait_for(rendered(farm, job.id), 120) == undisturbed
        assert await held(client) == []

    again = renderer.rendered[len(done) :]
    assert FrameRange(0, 10) in done
    assert FrameRange(0, 10) not in again  # what was finished is not rendered again
    assert sorted(path.name for path in (disk / "outputs").iterdir()) == [
        f"{job.id}.manifest.jsonl",
        f"{job.id}.mp4",
    ]


async def test_a_bundle_that_finds_no_room_is_refused_with_what_to_do(
    disk: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_bytes(bytes(9 * MIB))
    manifest = manifest_of(page)
    async with (
        a_farm(disk, PictureRenderer()) as (_, farm),
        grpc.aio.insecure_channel(farm.address) as channel,
    ):
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await send_bundle(stub, manifest, lambda _: page / "index.html")

    status = read(refused.value)
    assert (status.code, status.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL")
    assert "is full" in status.message
    assert "make room there" in status.message
    assert not list((disk / "blobs").iterdir())
