"""Whoever was told that a job is cancelled will not meet it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coordinator.events import EventLog
from coordinator.holds import FarmHeldError
from coordinator.job import Event, JobEvent, JobState, Output
from coordinator.job_run import JobRun
from coordinator.stores.base import StoreDownError
from tests.support.eventually import eventually
from tests.support.job_desk import DictStore, open_desk
from tests.support.tasks import a_spec


@dataclass
class SlowStore(DictStore):
    """What is appended waits until it `goes_on`."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    loses_appends: bool = False

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        await self.goes_on.wait()
        if self.loses_appends:
            raise StoreDownError("the database is down: start it")
        return await super().append(job_id, events, output=output)


async def test_a_cancel_is_acknowledged_when_every_later_coordinator_will_hold_to_it(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(a_spec())
        await desk.until(job.id, JobState.RENDERING)
        desk.store.is_down = True
        with pytest.raises(FarmHeldError, match="is not kept yet"):
            await asyncio.wait_for(desk.jobs.cancel(job.id), 5)

    desk.store.is_down = False
    async with open_desk(tmp_path, store=desk.store) as second:  # was not told, and goes on
        await eventually(lambda: second.runner.running == [job.id])
        told = await second.jobs.cancel(job.id)  # by whoever still asks
        assert told.state is JobState.CANCELLED

    async with open_desk(tmp_path, store=desk.store) as third:
        again = await third.jobs.cancel(job.id)
        assert again.state is third.state(job.id) is JobState.CANCELLED
        assert third.runner.begun == []


async def test_a_job_that_is_cancelled_before_it_is_in_the_queue_never_begins(
    tmp_path: Path,
) -> None:
    store = SlowStore()
    async with open_desk(tmp_path, store=store) as desk:
        creating = asyncio.create_task(desk.jobs.create(a_spec(), request_id="wish"))
        await eventually(lambda: bool(store.jobs))
        made = await store.made_by("wish")  # what a client is told that asks once more
        assert made
        cancelling = asyncio.create_task(desk.jobs.cancel(made.id))
        await asyncio.sleep(0)
        store.goes_on.set()

        assert (await cancelling).state is JobState.CANCELLED
        await creating
        assert desk.state(made.id) is JobState.CANCELLED
        assert desk.runner.running == []


async def test_no_cancel_is_acknowledged_by_a_coordinator_that_ends_before_it_is_carried_out(
    tmp_path: Path,
) -> None:
    store = SlowStore()
    async with open_desk(tmp_path, store=store) as desk:
        creating = asyncio.create_task(desk.jobs.create(a_spec()))
        await eventually(lambda: bool(store.jobs))
        cancelling = asyncio.create_task(desk.jobs.cancel("job1"))
        await asyncio.sleep(0)
        store.loses_appends = True
        store.goes_on.set()

    for asked in (creating, cancelling):
        with pytest.raises((FarmHeldError, StoreDownError)):
            await asked
    store.loses_appends = False
    async with open_desk(tmp_path, store=store) as second:
        await eventually(lambda: second.runner.running == ["job1"])


async def test_a_coordinator_that_is_cut_off_while_it_keeps_a_cancel_leaves_no_task() -> None:
    run = JobRun("job1", EventLog(SlowStore()), on_assembling=lambda: None)
    stopping = asyncio.create_task(run.stop(None))
    await eventually(lambda: "stop-job1" in _running())
    stopping.cancel()
    await asyncio.wait([stopping])

    assert "stop-job1" not in _running()  # whose error nobody would look at
    assert run.abort.is_set()


def _running() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}
