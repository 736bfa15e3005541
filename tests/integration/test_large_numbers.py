"""Numbers that the wire can carry and the disk cannot."""

from __future__ import annotations

from pathlib import Path

import grpc.aio
import pytest

from protos.framefarm.v1 import coordinator_pb2 as pb
from tests.integration.test_coordinator import a_farm, create, watched
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_spec


async def test_a_watcher_far_after_the_end_is_told_nothing_more(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(4))
        await watched(stub, job.id)

        assert await watched(stub, job.id, after=(1 << 64) - 1) == []


async def test_a_download_from_beyond_the_end_is_empty_or_refused(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(4))
        await watched(stub, job.id)
        call = stub.DownloadOutput(pb.DownloadOutputRequest(job_id=job.id, offset=(1 << 63) - 1))

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [part async for part in call]

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_jobs_with_long_props_can_be_listed(tmp_path: Path) -> None:
    async with a_farm(tmp_path, most_running=1) as (stub, _):
        for _number in range(12):
            await create(stub, a_spec(4, text="x" * 400_000))

        listed = await stub.ListJobs(pb.ListJobsRequest())
        last = await stub.ListJobs(pb.ListJobsRequest(page_token=listed.next_page_token))

    assert len(listed.jobs) + len(last.jobs) == 12
