"""Two coordinators with one PostgreSQL: the second takes over when the first is killed or hangs."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import sqlalchemy as sql
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from coordinator import wire
from coordinator.artifacts.opening import open_artifacts
from coordinator.standby import COORDINATOR
from executors.wire import to_frames
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.frames import FrameRange
from serving.status import read
from tests.support.command_line import CommandLine, framefarm, framefarm_command
from tests.support.eventually import eventually
from tests.support.farm import running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.postgres import PostgresServer
from tests.support.s3_server import new_bucket
from tests.support.tasks import a_spec
from tests.support.tcp_proxy import tcp_proxy
from tests.support.zombie import MARK

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SPEC = a_spec(30, chunk_frames=10, frame_s=0.05)
NOBODY = "127.0.0.1:1"  # no worker is there: jobs stay as they are


class Coordinator:
    """A process, and a client of it."""

    def __init__(self, process: CommandLine, address: str, channel: grpc.aio.Channel) -> None:
        self.process = process
        self.address = address
        self.stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        self._health: Any = health_pb2_grpc.HealthStub(channel)

    async def says(self, service: str = "") -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return int((await self._health.Check(request, timeout=60.0)).status)

    async def serves(self) -> bool:
        try:
            return await self.says() == SERVING
        except grpc.aio.AioRpcError:
            return False

    async def create(self, request_id: str) -> str:
        request = pb.CreateJobRequest(spec=wire.from_spec(SPEC), request_id=request_id)
        return str((await self.stub.CreateJob(request, timeout=60.0)).id)

    async def first_chunk_of(self, job_id: str) -> FrameRange:
        """Wait until one has arrived and was put down."""
        events = self.stub.WatchJob(pb.WatchJobRequest(job_id=job_id), timeout=60.0)
        async for event in events:
            if event.chunk_moved.state == pb.CHUNK_STATE_RENDERED:
                events.cancel()
                return to_frames(event.chunk_moved.frames)
        raise AssertionError("the job ended without a chunk")

    async def video_of(self, job_id: str) -> bytes:
        call = self.stub.DownloadOutput(pb.DownloadOutputRequest(job_id=job_id), timeout=20.0)
        return b"".join([part.data async for part in call])

    async def jobs(self) -> list[str]:
        answer = await self.stub.ListJobs(pb.ListJobsRequest(), timeout=60.0)
        return [job.id for job in answer.jobs]


@asynccontextmanager
async def coordinator(
    store: str,
    data_dir: Path,
    *,
    workers: str = NOBODY,
    artifacts: str = "",
    freezes: str = "",
) -> AsyncGenerator[Coordinator]:
    options = ["--listen", "127.0.0.1:0", "--workers", workers, "--data-dir", str(data_dir)]
    options += ["--artifacts", artifacts] if artifacts else []
    async with framefarm_command(
        *([freezes] if freezes else []),
        *("coordinator", *options),
        module="tests.support.zombie" if freezes else "framefarm",
        FRAMEFARM_COORDINATOR_STORE=store,
    ) as process:
        address = await process.first_line()
        try:
            async with grpc.aio.insecure_channel(
                address, options=[("grpc.max_reconnect_backoff_ms", 200)]
            ) as channel:
                yield Coordinator(process, address, channel)
        finally:
            with suppress(ProcessLookupError):
                process.signal(signal.SIGCONT)  # else it could not be told to end


async def holds(condition: Callable[[], Awaitable[bool]], *, within_s: float) -> float:
    """How long it took until it held."""
    start = time.monotonic()
    while not await condition():
        assert time.monotonic() - start < within_s
        await asyncio.sleep(0.05)
    return time.monotonic() - start


@pytest.fixture
def store(postgres: PostgresServer) -> str:
    return postgres.new_store()


async def test_the_second_goes_on_for_one_that_is_killed_and_one_that_hangs(
    store: str, tmp_path: Path
) -> None:
    renderer = PictureRenderer()
    async with running_worker(renderer) as worker:
        opened = partial(coordinator, store, tmp_path, workers=worker.address)
        async with opened() as first, opened() as second:
            assert await first.says() == await first.says(COORDINATOR) == SERVING
            await check_that_it_stands_by(second)
            jobs = [await first.create("wish")]
            done = await first.first_chunk_of(jobs[0])

            first.process.signal(signal.SIGKILL)
            await holds(second.serves, within_s=60.0)

            assert await second.jobs() == jobs
            assert await second.create("wish") == jobs[0]
            await check_that_it_succeeds(second, jobs[0])
            assert renderer.rendered.count(done) == 1
            async with opened() as third:
                await check_that_it_stands_by(third)
                await check_that_a_zombie_is_refused(second, third, jobs)


async def check_that_it_succeeds(one: Coordinator, job_id: str) -> None:
    """And that its story has no gap, whoever told it."""
    events = one.stub.WatchJob(pb.WatchJobRequest(job_id=job_id), timeout=60.0)
    told = [event async for event in events]
    assert [event.sequence for event in told] == list(range(1, len(told) + 1))
    assert told[-1].state_changed.state == pb.JOB_STATE_SUCCEEDED


async def check_that_it_stands_by(one: Coordinator) -> None:
    assert await one.says() == await one.says(COORDINATOR) == NOT_SERVING
    assert await one.says(health.SERVICE_NAME) == SERVING
    for call in (one.jobs(), one.create("early")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        status = read(refused.value)
        assert (status.code, status.reason) == (grpc.StatusCode.UNAVAILABLE, "STANDBY")


async def check_that_a_zombie_is_refused(
    zombie: Coordinator, heir: Coordinator, jobs: list[str]
) -> None:
    jobs = [await zombie.create("last wish"), *jobs]
    await zombie.first_chunk_of(jobs[0])
    zombie.process.signal(signal.SIGSTOP)
    asked = asyncio.create_task(zombie.create("late"))  # it lies there until the zombie wakes
    await holds(heir.serves, within_s=60.0)
    jobs = [await heir.create("after the zombie"), *jobs]
    zombie.process.signal(signal.SIGCONT)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asked
    ended = await zombie.process.ended()

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ended.code == 1
    assert "another coordinator leads" in ended.err
    assert await heir.jobs() == jobs
    for job_id in jobs:
        await check_that_it_succeeds(heir, job_id)


@pytest.mark.parametrize("where", ["folder", "bucket"])
async def test_what_a_frozen_leader_places_late_is_nobodys_video(
    store: str, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = new_bucket(monkeypatch) if where == "bucket" else ""
    async with running_worker(PictureRenderer()) as worker:
        opened = partial(coordinator, store, workers=worker.address, artifacts=artifacts)
        folders = [tmp_path, tmp_path] if where == "folder" else [tmp_path / "1", tmp_path / "2"]
        async with opened(folders[0], freezes=where) as zombie, opened(folders[1]) as heir:
            job_id = await zombie.create("wish")
            await eventually(lambda: zombie.process.is_frozen, within_s=60.0)
            await holds(heir.serves, within_s=60.0)
            await check_that_it_succeeds(heir, job_id)

            zombie.process.signal(signal.SIGCONT)
            ended = await zombie.process.ended(within_s=60.0)

            assert ended.code == 1
            kept = await open_artifacts(artifacts, tmp_path)
            sizes = [each.size_bytes for each in await kept.list_prefix("outputs/")]
            assert len(MARK) in sizes
            job = await heir.stub.GetJob(pb.GetJobRequest(job_id=job_id))
            video = await heir.video_of(job_id)
            assert hashlib.sha256(video).hexdigest() == job.output.sha256


async def test_a_leader_goes_on_when_its_database_comes_back(store: str, tmp_path: Path) -> None:
    url = sql.make_url(store)
    async with tcp_proxy(f"127.0.0.1:{url.port}") as proxy:
        port = int(proxy.address.rpartition(":")[2])
        async with coordinator(url.set(port=port).render_as_string(), tmp_path) as leader:
            jobs = [await leader.create("before")]
            proxy.cut()
            await holds(lambda: is_not_serving(leader), within_s=60.0)
            creating = asyncio.create_task(leader.create("meanwhile"))
            proxy.mend()

            jobs.insert(0, await creating)
            await holds(leader.serves, within_s=60.0)
            assert await leader.jobs() == jobs


async def is_not_serving(one: Coordinator) -> bool:
    return await one.says() == NOT_SERVING


async def test_a_database_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    ended = await framefarm(
        *(
            "coordinator",
            "--workers",
            NOBODY,
            "--data-dir",
            str(tmp_path),
            "--store-patience",
            "0s",
        ),
        *("--listen", "127.0.0.1:0", "--store", "postgresql://me:hush@127.0.0.1:1/jobs"),
    )

    assert ended.code == 1
    assert "postgresql://me:***@127.0.0.1:1/jobs cannot be used" in ended.err
    assert "hush" not in ended.err


async def test_a_store_that_cannot_be_is_refused(tmp_path: Path) -> None:
    options = ["--workers", NOBODY, "--store", "mysql://me:hush@host/jobs"]
    ended = await framefarm("coordinator", *options, "--data-dir", str(tmp_path))

    assert ended.code == 2
    assert "--store: mysql is no store" in ended.err
    assert "hush" not in ended.err
