"""What every JobStore promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sql

from coordinator.job import (
    IllegalTransitionError,
    Job,
    JobState,
    Output,
    ProgressMade,
    StateChanged,
)
from coordinator.stores.base import JobNotFoundError, JobStore
from coordinator.stores.memory import Memory, MemoryJobStore
from coordinator.stores.postgresql import open_postgresql_store
from coordinator.stores.sqlite import open_sqlite_store
from tests.support.postgres import PostgresServer
from tests.support.tasks import a_spec

OUTPUT = Output(
    size_bytes=1, sha256="00", frames=30, width_px=2, height_px=2, warnings=("image /a.png: 404",)
)


OpenStore = Callable[[], AbstractAsyncContextManager[JobStore]]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """How to open one store, again and again; each handle begins to lead."""
    opened: OpenStore
    if request.param == "memory":
        opened = partial(_opened_memory, Memory())
    elif request.param == "sqlite":
        opened = partial(open_sqlite_store, tmp_path / "jobs.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = partial(open_postgresql_store, sql.make_url(server.new_store()))
    return partial(_leading, opened)


def _opened_memory(memory: Memory) -> AbstractAsyncContextManager[JobStore]:
    return nullcontext(MemoryJobStore(memory))


@asynccontextmanager
async def _leading(opened: OpenStore) -> AsyncGenerator[JobStore]:
    async with opened() as store:
        await store.begin_term()
        yield store


@pytest.fixture
async def store(open_store: OpenStore) -> AsyncGenerator[JobStore]:
    async with open_store() as made:
        yield made


def a_job(job_id: str = "one") -> Job:
    now = datetime.now(UTC)
    return Job(id=job_id, state=JobState.QUEUED, spec=a_spec(), frames_done=0, created_at=now)


async def test_a_job_is_kept_as_it_was(store: JobStore) -> None:
    job = a_job()

    assert await store.add(job, request_id="") == job
    assert await store.get("one") == job


async def test_the_same_request_makes_one_job(store: JobStore) -> None:
    first = await store.add(a_job("one"), request_id="wish")
    second = await store.add(a_job("two"), request_id="wish")

    assert second == first
    assert [job.id for job in await store.page(size=10)] == ["one"]


async def test_the_job_that_a_request_made_is_found(store: JobStore) -> None:
    await store.add(a_job("one"), request_id="wish")
    await store.add(a_job("two"), request_id="")
    await store.append("one", [StateChanged(JobState.RENDERING)])

    made = await store.made_by("wish")

    assert made == await store.get("one")
    assert await store.made_by("another") is None
    assert await store.made_by("") is None


async def test_jobs_without_a_request_id_are_each_their_own(store: JobStore) -> None:
    await store.add(a_job("one"), request_id="")
    await store.add(a_job("two"), request_id="")

    assert len(await store.page(size=10)) == 2


async def test_an_unknown_job_is_said_to_be_unknown(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError, match="nobody"):
        await store.get("nobody")
    with pytest.raises(JobNotFoundError):
        await store.events("nobody", after=0, most=10)
    with pytest.raises(JobNotFoundError):
        await store.append("nobody", [ProgressMade(1, 2)])


async def test_events_are_numbered_without_gaps_and_change_the_job(store: JobStore) -> None:
    await store.add(a_job(), request_id="")
    await store.append("one", [StateChanged(JobState.RENDERING), ProgressMade(3, 30)])
    await store.append("one", [ProgressMade(9, 30)])

    events = await store.events("one", after=0, most=10)
    job = await store.get("one")
    assert [event.sequence for event in events] == [1, 2, 3]
    assert events[2].event == ProgressMade(9, 30)
    assert (job.state, job.frames_done) == (JobState.RENDERING, 9)


async def test_events_are_read_from_any_number_and_in_pieces(store: JobStore) -> None:
    await store.add(a_job(), request_id="")
    await store.append("one", [ProgressMade(done, 30) for done in range(1, 8)])

    events = await store.events("one", after=3, most=2)

    assert [event.sequence for event in events] == [4, 5]


async def test_an_impossible_event_leaves_everything_as_it_was(store: JobStore) -> None:
    await store.add(a_job(), request_id="")

    with pytest.raises(IllegalTransitionError):
        await store.append("one", [ProgressMade(1, 30), StateChanged(JobState.SUCCEEDED)])

    assert await store.events("one", after=0, most=10) == []
    assert (await store.get("one")).frames_done == 0


async def test_an_output_comes_with_the_event_that_ends_the_job(store: JobStore) -> None:
    await store.add(a_job(), request_id="")
    for state in (JobState.RENDERING, JobState.ASSEMBLING):
        await store.append("one", [StateChanged(state)])
    await store.append("one", [StateChanged(JobState.SUCCEEDED)], output=OUTPUT)

    job = await store.get("one")
    assert (job.state, job.output) == (JobState.SUCCEEDED, OUTPUT)
    assert job.ended_at is not None


async def test_pages_go_from_the_newest_to_the_oldest(store: JobStore) -> None:
    for number in range(5):
        await store.add(a_job(f"job-{number}"), request_id="")

    first = await store.page(size=2)
    second = await store.page(size=2, before=first[-1].id)
    assert [job.id for job in first] == ["job-4", "job-3"]
    assert [job.id for job in second] == ["job-2", "job-1"]


async def test_a_page_after_a_job_that_is_not_there_is_refused(store: JobStore) -> None:
    await store.add(a_job("one"), request_id="")

    with pytest.raises(JobNotFoundError, match="nobody"):
        await store.page(size=2, before="nobody")


async def test_unfinished_jobs_come_oldest_first(store: JobStore) -> None:
    for name in ("a", "b", "c"):
        await store.add(a_job(name), request_id="")
    await store.append("b", [StateChanged(JobState.CANCELLED)])
    await store.append("a", [StateChanged(JobState.RENDERING)])

    assert [job.id for job in await store.unfinished()] == ["a", "c"]


async def test_terms_grow_by_one_and_outlive_the_process(open_store: OpenStore) -> None:
    terms = list[int]()
    for _ in range(2):
        async with open_store() as store:  # which has begun one
            terms.append(await store.begin_term())

    assert terms == [2, 4]


async def test_jobs_that_ended_before_a_time_are_found_by_their_end(store: JobStore) -> None:
    for name in ("a", "b", "c", "d"):
        await store.add(a_job(name), request_id="")
    for name in ("c", "a", "d"):
        await store.append(name, [StateChanged(JobState.CANCELLED)])
    last = (await store.get("d")).ended_at
    assert last is not None

    assert [job.id for job in await store.ended_before(last, most=9)] == ["c", "a"]
    assert [job.id for job in await store.ended_before(last, most=1)] == ["c"]
    later = await store.ended_before(last + timedelta(microseconds=1), most=9)
    assert later == [await store.get(name) for name in ("c", "a", "d")]


async def test_a_deleted_job_is_gone_with_its_events_and_its_request(store: JobStore) -> None:
    await store.add(a_job("one"), request_id="wish")
    await store.add(a_job("two"), request_id="")
    for name in ("one", "two"):
        await store.append(name, [StateChanged(JobState.CANCELLED)])

    await store.delete("one")

    assert [job.id for job in await store.page(size=10)] == ["two"]
    assert len(await store.events("two", after=0, most=10)) == 1
    for call in (store.get("one"), store.delete("one"), store.events("one", after=0, most=1)):
        with pytest.raises(JobNotFoundError):
            await call
    again = await store.add(a_job("one"), request_id="wish")
    assert again.state is JobState.QUEUED
    assert await store.events("one", after=0, most=10) == []


async def test_what_was_kept_is_there_when_the_store_is_opened_again(open_store: OpenStore) -> None:
    job = replace(a_job(), frames_done=0)
    async with open_store() as store:
        await store.add(job, request_id="wish")
        await store.append("one", [StateChanged(JobState.RENDERING)])

    async with open_store() as store:
        assert (await store.get("one")).state is JobState.RENDERING
        assert len(await store.events("one", after=0, most=10)) == 1
        assert await store.add(a_job("two"), request_id="wish") == await store.get("one")


async def test_what_was_begun_is_kept_when_who_asked_was_cancelled(store: JobStore) -> None:
    await store.add(a_job(), request_id="")
    states = [JobState.RENDERING, JobState.ASSEMBLING]
    appending = [
        asyncio.create_task(store.append("one", [StateChanged(state)])) for state in states
    ]
    await asyncio.sleep(0)
    for task in appending:
        task.cancel()

    await store.append("one", [StateChanged(JobState.SUCCEEDED)], output=OUTPUT)

    assert len(await store.events("one", after=0, most=10)) == 3
