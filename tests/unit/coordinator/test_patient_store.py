"""A store that waits for its database holds the farm for as long as something waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from coordinator import patient_store
from coordinator.holds import SHUTTING_DOWN, STORE_DOWN, Hold, Holds
from coordinator.job import Event, JobEvent, Output, ProgressMade
from coordinator.patient_store import PatientStore
from coordinator.stores.base import StoreDownError
from tests.support.eventually import eventually
from tests.support.job_desk import DictStore
from tests.support.tasks import a_job


class FullDiskStore(DictStore):
    """Can be read, and not be written while `is_full`."""

    is_full = True
    asked = 0

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        self.asked += 1
        if self.is_full:
            raise StoreDownError("the disk is full: free some space")
        return await super().append(job_id, events, output=output)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_store, "_PAUSE_S", 0.001)


async def test_a_full_disk_holds_the_farm_though_it_can_be_read() -> None:
    holds = Holds()
    inner = FullDiskStore()
    told = list[bool]()
    holds.listen(lambda: told.append(bool(holds.all)))
    store = PatientStore(inner, holds)
    job = await store.add(a_job(), request_id="")
    writing = asyncio.create_task(store.append(job.id, [ProgressMade(1, 30)]))
    await eventually(lambda: bool(holds.all))

    for _ in range(3):
        assert await store.get(job.id) == job
        assert holds.of(STORE_DOWN)
    inner.is_full = False
    await writing

    assert told == [True, False]


async def test_a_write_that_nobody_waits_for_any_more_holds_nothing() -> None:
    holds = Holds()
    store = PatientStore(FullDiskStore(), holds)
    job = await store.add(a_job(), request_id="")
    writing = asyncio.create_task(store.append(job.id, [ProgressMade(1, 30)]))
    await eventually(lambda: bool(holds.all))

    writing.cancel()
    await asyncio.wait([writing])

    assert not holds.all


async def test_a_process_that_ends_does_not_wait_for_its_database() -> None:
    holds = Holds()
    inner = FullDiskStore()
    store = PatientStore(inner, holds)
    job = await store.add(a_job(), request_id="")
    holds.put(Hold(SHUTTING_DOWN, "the coordinator is being stopped"))

    with pytest.raises(StoreDownError, match="disk is full"):
        await store.append(job.id, [ProgressMade(1, 30)])

    assert inner.asked == 1
