"""Watching a job's log while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from coordinator.events import EventLog
from coordinator.job import Event, JobEvent, JobState, StateChanged
from coordinator.stores.base import JobStore
from coordinator.stores.sqlite import open_sqlite_store
from tests.support.eventually import eventually
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

    async with asyncio.timeout(5):
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

    async with asyncio.timeout(5):
        assert await watching == [end]


async def _all(log: EventLog) -> list[Event]:
    return [event.event async for event in log.watch("job", after=0)]


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
