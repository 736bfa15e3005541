"""Jobs that are paused, deleted, limited in time and number, over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from coordinator import wire
from coordinator.holds import STORAGE_FULL, STORE_DOWN, Hold, Holds
from coordinator.job import Job, JobState
from coordinator.settings import QueueLimits
from coordinator.storage import DiskWatch
from framefarm.client import FarmClient
from framefarm.errors import CallFailedError, NoSuchJobError
from framefarm.farm_status import FarmHold, FarmState
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from serving.status import read
from tests.support.eventually import eventually
from tests.support.farm import TestCoordinator, running_coordinator, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.small_disk import fill, small_disk
from tests.support.tasks import a_spec


@asynccontextmanager
async def a_farm(
    folder: Path, *renderers: PictureRenderer, **options: Any
) -> AsyncGenerator[tuple[FarmClient, TestCoordinator]]:
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(running_worker(each)) for each in renderers]
        addresses = [worker.address for worker in workers] or ["127.0.0.1:1"]
        coordinator = await stack.enter_async_context(
            running_coordinator(addresses, folder, **options)
        )
        yield (
            await stack.enter_async_context(FarmClient(coordinator.address, wait_s=0)),
            coordinator,
        )


async def test_no_chunk_of_a_paused_job_begins_and_those_that_run_finish(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with a_farm(tmp_path, renderer) as (client, _):
        job = await client.create(a_spec(40, frame_s=0.02))
        await eventually(lambda: bool(renderer.running))

        assert (await client.pause(job.id)).state is JobState.PAUSED
        await eventually(lambda: not renderer.running)
        finished = len(renderer.rendered)
        await asyncio.sleep(0.3)
        assert (renderer.running, len(renderer.rendered)) == ([], finished)
        assert finished < 4
        assert (await client.farm()).jobs_paused == 1
        await client.resume(job.id)

        done = await asyncio.wait_for(client.wait(job.id), 60)
        await client.download(job.id, tmp_path / "video.mp4")
    assert done.state is JobState.SUCCEEDED
    assert len(renderer.rendered) == 4
    assert decode_frame_numbers(tmp_path / "video.mp4") == list(range(40))


async def test_a_deleted_job_is_known_no_more(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (client, _):
        job = await client.create(a_spec(10, hang=5))
        with pytest.raises(CallFailedError, match=r"cancel it first, or wait .*\(JOB_RUNNING\)"):
            await client.delete(job.id)
        await client.cancel(job.id)

        await client.delete(job.id)

        for asked in (client.get(job.id), client.delete(job.id), client.wait(job.id)):
            with pytest.raises(NoSuchJobError):
                await asked


async def test_a_job_whose_time_is_over_stops_on_its_worker(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with a_farm(tmp_path, renderer) as (client, _):
        job = await client.create(replace(a_spec(10, hang=5), time_limit_s=0.4))
        await eventually(lambda: bool(renderer.running))
        ended = await asyncio.wait_for(client.wait(job.id), 60)
        assert renderer.running == []

    assert ended.error is not None
    assert ended.error.reason == "DEADLINE_EXCEEDED"


async def test_a_job_outlives_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=6 << 20) as disk:
        holds = Holds()
        storage = DiskWatch(disk, holds, floor_bytes=64 << 10)
        renderer = PictureRenderer()
        async with a_farm(disk, renderer, holds=holds, storage=storage) as (client, coordinator):
            job = await client.create(a_spec(60, frame_s=0.02))
            chunks = coordinator.files.chunks(job.id)
            await eventually(lambda: len(list(chunks.glob("*.json"))) >= 2)
            filling = fill(disk)
            await eventually(lambda: bool(holds.all), within_s=60)
            full = await client.farm()
            with pytest.raises(CallFailedError, match="make room there|free some space"):
                await client.create(a_spec(10))
            filling.unlink()

            done = await asyncio.wait_for(client.wait(job.id), 60)
            await client.download(job.id, tmp_path / "video.mp4")
            again = await client.farm()

    assert full.state is FarmState.PAUSED
    assert {hold.reason for hold in full.holds} <= {"STORAGE_FULL", "STORE_DOWN"}
    assert done.state is JobState.SUCCEEDED
    assert again.state is FarmState.READY
    assert len(renderer.rendered) <= 8  # the finished chunks were kept
    assert decode_frame_numbers(tmp_path / "video.mp4") == list(range(60))


async def test_the_farm_says_what_it_does_and_why_it_does_nothing(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (client, coordinator):
        job = await client.create(a_spec(10, hang=5))
        await client.create(replace(a_spec(10), after=(job.id,)))
        await eventually(lambda: any(worker.leased for worker in coordinator.fleet.workers))
        busy = await client.farm()
        coordinator.jobs.holds.put(Hold(STORAGE_FULL, "the disk is full"))
        held = await client.farm()

    assert (busy.state, busy.holds, held.state) == (FarmState.READY, (), FarmState.PAUSED)
    assert (busy.jobs_running, busy.jobs_blocked) == (1, 1)
    assert (busy.chunks_running, busy.slots) == (1, 1)
    assert held.holds == (FarmHold(reason="STORAGE_FULL", message="the disk is full"),)


@pytest.mark.parametrize(
    ("hold", "code"),
    [
        (STORAGE_FULL, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (STORE_DOWN, grpc.StatusCode.UNAVAILABLE),
        (None, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_a_job_that_is_not_taken_now_is_told_when_to_come_again(
    tmp_path: Path, hold: str | None, code: grpc.StatusCode
) -> None:
    limits = QueueLimits(jobs=0 if hold is None else 9)
    async with a_farm(tmp_path, limits=limits) as (client, coordinator):
        if hold:
            coordinator.jobs.holds.put(Hold(hold, "something is wrong: mend it"))

        with pytest.raises(CallFailedError) as caught:
            await client.create(a_spec(10))
        seconds = await asked_to_wait(coordinator, code)

    assert caught.value.reason == (hold or "QUEUE_FULL")
    assert seconds >= 5


@pytest.mark.parametrize("hold", [STORAGE_FULL, STORE_DOWN, None])
async def test_a_request_that_made_its_job_is_answered_where_nothing_new_is_taken(
    tmp_path: Path, hold: str | None
) -> None:
    async with a_farm(tmp_path, limits=QueueLimits(jobs=1)) as (client, coordinator):
        running = await client.create(a_spec(10), request_id="runs")
        while coordinator.jobs.queue.queued:
            await asyncio.sleep(0.01)
        waiting = await client.create(replace(a_spec(10), after=(running.id,)), request_id="waits")
        if hold:
            coordinator.jobs.holds.put(Hold(hold, "something is wrong: mend it"))

        again = [await client.create(a_spec(10), request_id=each) for each in ("runs", "waits")]
        with pytest.raises(CallFailedError, match=hold or "QUEUE_FULL"):
            await client.create(a_spec(10), request_id="new")

    assert [job.id for job in again] == [running.id, waiting.id]


async def asked_to_wait(coordinator: TestCoordinator, code: grpc.StatusCode) -> int:
    async with grpc.aio.insecure_channel(coordinator.address) as channel:
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        request = pb.CreateJobRequest(spec=wire.from_spec(a_spec(10)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CreateJob(request)
    assert read(caught.value).code is code
    error: Any = caught.value
    status = rpc_status.from_call(error)
    assert status is not None
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    return int(retry.retry_delay.seconds)


async def test_a_message_that_is_too_large_is_refused_and_others_are_not(tmp_path: Path) -> None:
    async with a_farm(tmp_path) as (client, coordinator):
        async with grpc.aio.insecure_channel(coordinator.address) as channel:
            stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
            request = pb.CreateJobRequest(spec=wire.from_spec(a_spec(10)))
            request.spec.settings.props_json = "x" * (5 << 20)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.CreateJob(request)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

        await client.create(a_spec(10))


async def test_so_many_watch_and_no_more(tmp_path: Path) -> None:
    async with a_farm(tmp_path, most_watchers=2) as (client, coordinator):
        job = await client.create(a_spec(10))
        async with AsyncExitStack() as stack:
            for _ in range(2):
                events = await stack.enter_async_context(client.watch(job.id))
                await anext(events)
            with pytest.raises(CallFailedError, match="TOO_MANY_WATCHERS"):
                await _first_event(client, job)
        await eventually(lambda: coordinator.service.watchers.count == 0)

        await _first_event(client, job)


async def _first_event(client: FarmClient, job: Job) -> None:
    async with client.watch(job.id) as events:
        await anext(events)
