"""Watchers that are many, slow, stuck, or late: each gets all events in order, or is told why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from coordinator.job import Job, JobState, PageLogged, ProgressMade, StateChanged
from framefarm.client import FarmClient
from framefarm.errors import NoSuchJobError
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from serving.status import read
from tests.support.eventually import eventually
from tests.support.farm import TestCoordinator, running_coordinator
from tests.support.tasks import a_spec

# More than any window or buffer between the two takes.
LINES, LINE = 2_000, "x" * 8_000


async def an_ended_job(farm: TestCoordinator) -> Job:
    """With a log of 16 MB."""
    job = await farm.jobs.create(a_spec())
    lines = [PageLogged(chunk_index=0, level="log", text=LINE)] * (LINES // 4)
    for _ in range(4):
        await farm.store.append(job.id, lines)
    return await farm.jobs.cancel(job.id)


async def test_a_watcher_that_reads_nothing_gives_up_its_place_and_may_come_back(
    tmp_path: Path,
) -> None:
    async with (
        running_coordinator(["127.0.0.1:1"], tmp_path, stalled_s=0.3) as farm,
        grpc.aio.insecure_channel(farm.address) as channel,
    ):
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        job = await an_ended_job(farm)
        call = stub.WatchJob(pb.WatchJobRequest(job_id=job.id))
        first = await call.read()
        await eventually(lambda: farm.service.watchers.count == 0)

        last = first.sequence
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            while (event := await call.read()) is not grpc.aio.EOF:
                assert event.sequence == last + 1
                last = event.sequence

    status = read(ended.value)
    assert (status.code, status.reason) == (grpc.StatusCode.ABORTED, "WATCHER_STALLED")
    assert status.retry_after_s == 1.0
    assert 1 <= last < LINES


async def test_our_client_that_was_stuck_goes_on_where_it_stopped(tmp_path: Path) -> None:
    said = list[str]()
    async with (
        running_coordinator(["127.0.0.1:1"], tmp_path, stalled_s=0.3) as farm,
        FarmClient(farm.address, on_wait=said.append) as client,
    ):
        job = await an_ended_job(farm)
        sequences = list[int]()
        async with client.watch(job.id) as events:
            async for event in events:
                if not sequences:  # stuck, for as long as it has a place
                    await eventually(lambda: farm.service.watchers.count == 0)
                    farm.service.watchers._stalled_s = 60.0  # once is enough
                sequences.append(event.sequence)

    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > LINES
    assert len(said) == 1
    assert "WATCHER_STALLED" in said[0]


async def test_hundreds_of_slow_watchers_hear_everything_in_order(tmp_path: Path) -> None:
    count, steps = 300, 12
    async with (
        running_coordinator(["127.0.0.1:1"], tmp_path, most_watchers=count) as farm,
        grpc.aio.insecure_channel(farm.address) as channel,
    ):
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        job = await farm.jobs.create(a_spec())
        begun = len(await farm.store.events(job.id, after=0, most=99))
        heard = [list[int]() for _ in range(count)]

        async def watch(sequences: list[int], pause_s: float) -> None:
            async for event in stub.WatchJob(pb.WatchJobRequest(job_id=job.id)):
                sequences.append(event.sequence)
                await asyncio.sleep(pause_s)  # it is slow

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for number, sequences in enumerate(heard):
                group.create_task(watch(sequences, 0.001 * (number % 50)))
            await eventually(lambda: farm.service.watchers.count == count, within_s=60)
            for step in range(steps):
                await farm.service._events.append(job.id, [ProgressMade(step, 30)])
            await farm.jobs.cancel(job.id)

    everything = heard[0]
    assert everything == list(range(1, len(everything) + 1))
    assert len(everything) > begun + steps
    assert all(sequences == everything for sequences in heard)


async def test_a_watcher_of_a_job_that_is_deleted_meanwhile_is_told_so(tmp_path: Path) -> None:
    async with (
        running_coordinator(["127.0.0.1:1"], tmp_path) as farm,
        FarmClient(farm.address) as client,
    ):
        job = await an_ended_job(farm)
        heard = 0
        with pytest.raises(NoSuchJobError, match=job.id):
            async with client.watch(job.id) as events:
                async for _ in events:
                    if not heard:
                        await farm.jobs.delete(job.id)
                    heard += 1
        with pytest.raises(NoSuchJobError, match=job.id):
            async with client.watch(job.id, after_sequence=heard) as events:
                await anext(events)

    assert 0 < heard < LINES


async def test_who_goes_on_from_a_number_that_is_not_yet_there_is_told_of_the_end(
    tmp_path: Path,
) -> None:
    """A database of yesterday, say: the job's log ends before what the watcher has."""
    async with (
        running_coordinator(["127.0.0.1:1"], tmp_path) as farm,
        FarmClient(farm.address) as client,
    ):
        job = await farm.jobs.create(a_spec())

        async def late() -> list[object]:
            async with client.watch(job.id, after_sequence=1_000) as events:
                return [event.event async for event in events]

        watching = asyncio.create_task(late())
        await eventually(lambda: farm.service.watchers.count == 1)
        await farm.jobs.cancel(job.id)

        assert await asyncio.wait_for(watching, 60) == []
        assert (await client.get(job.id)).state is JobState.CANCELLED
        log = await farm.store.events(job.id, after=0, most=99)
        assert log[-1].event == StateChanged(JobState.CANCELLED)
