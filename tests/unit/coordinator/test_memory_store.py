"""What a store in memory promises beyond the contract of all stores."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.job import Job, JobState, StateChanged
from coordinator.stores.base import LostLeadershipError
from coordinator.stores.memory import Memory, MemoryJobStore
from coordinator.stores.place import MEMORY, store_place
from tests.support.tasks import a_spec


def a_job(job_id: str) -> Job:
    now = datetime.now(UTC)
    return Job(id=job_id, state=JobState.QUEUED, spec=a_spec(), frames_done=0, created_at=now)


async def test_a_store_whose_term_is_over_writes_nothing_and_reads_on() -> None:
    memory = Memory()
    old, new = MemoryJobStore(memory), MemoryJobStore(memory)
    await old.begin_term()
    job = await old.add(a_job("one"), request_id="")

    await old.check_lead()
    await new.begin_term()
    await new.check_lead()

    for write in (
        old.check_lead(),
        old.add(a_job("two"), request_id=""),
        old.append("one", [StateChanged(JobState.RENDERING)]),
        old.delete("one"),
    ):
        with pytest.raises(LostLeadershipError, match="term 1 is over: one of term 2 leads now"):
            await write
    assert await old.get("one") == await new.get("one") == job


async def test_another_job_of_the_same_name_is_refused() -> None:
    store = MemoryJobStore(Memory())
    await store.add(a_job("one"), request_id="")

    with pytest.raises(ValueError, match="there is a job one"):
        await store.add(a_job("one"), request_id="wish")

    assert await store.made_by("wish") is None


async def test_one_place_is_one_memory(tmp_path: Path) -> None:
    place = store_place(MEMORY, tmp_path, patience_s=1)
    async with place.open_store() as first:
        await first.add(a_job("one"), request_id="")

    async with place.open_store() as second, place.open_lock() as lock:
        assert (await second.get("one")).state is JobState.QUEUED

    assert lock is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_its_room_where_it_stands() -> None:
    place = store_place("sqlite:////srv/jobs/jobs.sqlite", Path("/data"), patience_s=1)

    assert place.folder == Path("/srv/jobs")
