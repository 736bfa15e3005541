"""Watching a job's log while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from coordinator.events import EventLog
from coordinator.job import Event, JobEvent, JobState, ProgressMade, StateChanged
from coordinator.stores.base import JobStore
from coordinator.stores.sqlite import open_sqlite_store
from tests.support.eventually import eventually
from tests.support.job_desk import DictStore
from tests.support.tasks import a_job


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[JobStore]:
    async with open_sqlite_store(tmp_path / "jobs.sqlite") as made:
        await made.add(a_job(), request_id="")
        yield made


async def test_an_end_that_comes_just_after_a_look_into_the_log_is_told(store: JobStore) -> None:
    end = StateChanged(JobState.CANCELLED)
    ending = _EndsAfterALook(store)
    log = EventLog(cast("JobStore", ending))
    ending.after_a_look = lambda: log.append("job", [end])

    async with asyncio.timeout(60):
        told = [event.event async for event in log.watch("job", after=0)]

    assert told == [end]


async def test_a_watcher_hears_of_events_whose_sender_was_cancelled(store: JobStore) -> None:
    log = EventLog(store)
    end = StateChanged(JobState.CANCELLED)
    watching = asyncio.create_task(_all(log))
    await eventually(lambda: bool(log._tails))
    sending = asyncio.create_task(log.append("job", [end]))
    await asyncio.sleep(0)
    sending.cancel()

    async with asyncio.timeout(60):
        assert await watching == [end]


async def test_watchers_who_keep_up_read_the_store_once() -> None:
    store = DictStore(jobs={"job": a_job()}, logs={"job": []})
    log = EventLog(store)
    watching = [asyncio.create_task(_all(log)) for _ in range(50)]
    await eventually(lambda: store.calls.get("events") == 50)

    for done in range(100):
        await log.append("job", [ProgressMade(done, 100)])
        await asyncio.sleep(0)
    await log.append("job", [StateChanged(JobState.CANCELLED)])

    told = await asyncio.wait_for(asyncio.gather(*watching), 60)
    assert [len(events) for events in told] == [101] * 50
    assert store.calls["events"] == 50


async def test_a_watcher_who_reads_slowly_holds_no_more_than_a_page() -> None:
    store = DictStore(jobs={"job": a_job()}, logs={"job": []})
    log = EventLog(store)
    async with aclosing(log.watch("job", after=0)) as events:
        await log.append("job", [ProgressMade(0, 9)])
        first = await anext(events)
        for batch in range(30):
            await log.append("job", [ProgressMade(batch, 9)] * 100)

        (tail,) = log._tails.values()
        assert len(tail._rows) == 500
        assert store.calls["events"] == 1
        await log.append("job", [StateChanged(JobState.CANCELLED)])
        sequences = [first.sequence, *[event.sequence async for event in events]]

    assert sequences == list(range(1, 3_003))
    assert store.calls["events"] == 7  # pages of 500; the last ones are in memory


async def test_a_watcher_of_an_append_that_failed_asks_the_store(store: JobStore) -> None:
    log = EventLog(store)
    watching = asyncio.create_task(_all(log))
    await eventually(lambda: bool(log._tails))
    await log.append("job", [ProgressMade(1, 9)])
    # Kept by a call whose answer did not come.
    await store.append("job", [ProgressMade(2, 9)])
    await log.append("job", [StateChanged(JobState.CANCELLED)])

    told = await asyncio.wait_for(watching, 60)
    assert [event for event in told if isinstance(event, ProgressMade)] == [
        ProgressMade(1, 9),
        ProgressMade(2, 9),
    ]


async def test_who_asks_for_what_comes_after_the_end_is_told_nothing(store: JobStore) -> None:
    log = EventLog(store)
    waiting = asyncio.create_task(_all(log, after=1_000))
    await eventually(lambda: bool(log._tails))
    await log.append("job", [StateChanged(JobState.CANCELLED)])

    assert await asyncio.wait_for(waiting, 60) == []
    assert await asyncio.wait_for(_all(log, after=1_000), 60) == []


async def _all(log: EventLog, *, after: int = 0) -> list[Event]:
    return [event.event async for event in log.watch("job", after=after)]


class _EndsAfterALook:
    """A store whose job ends right after the first look at its events."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.after_a_look: Callable[[], Awaitable[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        found = await self._store.events(job_id, after=after, most=most)
        if self.after_a_look is not None:
            end, self.after_a_look = self.after_a_look, None
            await end()
        return found
