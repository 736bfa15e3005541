"""Too many of everything at once: what there is is shared, and the rest is told to come later."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from coordinator import wire
from coordinator.job import Job, JobSpec
from coordinator.settings import QueueLimits
from executors.base import Share
from framefarm.client import FarmClient
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1.coordinator_pb2_grpc import RenderCoordinatorStub
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from serving.channel import open_channel
from tests.support.canned_workers import can_of, canned_settings, canned_workers
from tests.support.farm import running_coordinator

WORKERS, RUNNING, QUEUED, CHUNKS, CHUNK_FRAMES = 40, 4, 16, 3, 3


def spec(user: str) -> JobSpec:
    return JobSpec(
        composition=PageUrl("http://127.0.0.1:1/"),
        settings=canned_settings(frame_s=0.01),
        frames=FrameRange(0, CHUNKS * CHUNK_FRAMES),
        chunk_frames=CHUNK_FRAMES,
        share=Share(user=user),
    )


async def refused(stub: Any, user: str) -> error_details_pb2.RetryInfo:
    """Create jobs until no more are taken, and return what was said then."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        while True:
            await stub.CreateJob(pb.CreateJobRequest(spec=wire.from_spec(spec(user))))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    error: Any = caught.value
    status = rpc_status.from_call(error)
    assert status is not None
    for packed in status.details:
        if packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            told = error_details_pb2.RetryInfo()
            packed.Unpack(told)
            return told
    raise AssertionError(f"no RetryInfo in {status}")


async def test_who_comes_late_is_served_beside_who_was_there_and_too_many_are_refused(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        can = await can_of(CHUNK_FRAMES)
        workers = await stack.enter_async_context(canned_workers(WORKERS, can))
        limits = QueueLimits(jobs=10 * QUEUED, jobs_a_user=QUEUED)
        serving = running_coordinator(workers, tmp_path, most_running=RUNNING, limits=limits)
        farm = await stack.enter_async_context(serving)
        client = await stack.enter_async_context(FarmClient(farm.address))
        channel = await stack.enter_async_context(open_channel(farm.address))
        stub: Any = RenderCoordinatorStub(channel)
        retry = await refused(stub, "a")
        late = [await client.create(spec("b")) for _ in range(3)]
        for job in await client.jobs():
            call = stub.WatchJob(pb.WatchJobRequest(job_id=job.id))  # and never read
            await call.wait_for_connection()
            stack.callback(call.cancel)
        ended = await asyncio.gather(*(client.wait(job.id) for job in late))
        everything = await ended_all(client)

    assert retry.retry_delay.ToMilliseconds() > 0
    assert {job.state for job in [*ended, *everything]} == {"succeeded"}
    last = max(ends(ended))
    assert len([end for end in ends(everything) if end > last]) > QUEUED // 2  # of user a's
    assert can.rendered == len(everything) * CHUNKS


def ends(jobs: list[Job]) -> list[datetime]:
    return [job.ended_at for job in jobs if job.ended_at is not None]


async def ended_all(client: FarmClient) -> list[Job]:
    jobs = await client.jobs()
    return [await client.wait(job.id) for job in jobs]
