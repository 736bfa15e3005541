"""Holding the farm while there is no place for what it renders."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coordinator import storage
from coordinator.holds import STORAGE_DOWN, STORAGE_FULL, Holds
from coordinator.queue import Phase
from coordinator.storage import DiskWatch, StorageRest, StorageWatch
from executors.errors import StorageDownError, StorageFullError
from tests.support.eventually import eventually
from tests.support.job_desk import open_desk
from tests.support.tasks import a_spec

FULL = StorageFullError("the disk is full")
DOWN = StorageDownError("the store cannot be reached")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_LOOK_S", 0.01)
    monkeypatch.setattr(storage, "_REST_S", 0.1)
    monkeypatch.setattr(storage, "_RETRY_S", 0.1)


@asynccontextmanager
async def watching(watch: StorageWatch) -> AsyncGenerator[None]:
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_nothing_begins_on_a_disk_with_too_little_room(tmp_path: Path) -> None:
    holds = Holds()
    async with watching(DiskWatch(tmp_path, holds, floor_bytes=1 << 60)):
        await eventually(lambda: bool(holds.of(STORAGE_FULL)))

    hold = holds.of(STORAGE_FULL)
    assert hold is not None
    assert hold.message.startswith(f"{tmp_path} is full (")
    assert hold.message.endswith(f"{2 << 40} MiB are wanted): make room there")


@pytest.mark.parametrize("is_full_first", [False, True])
async def test_a_disk_that_does_not_answer_holds_the_farm_until_it_does(
    tmp_path: Path, is_full_first: bool
) -> None:
    problem: OSError | None = OSError(errno.ESTALE, "Stale file handle")

    async def measure(folder: Path) -> int:
        del folder
        if problem:
            raise problem
        return 1 << 60

    holds = Holds()
    watch = DiskWatch(tmp_path, holds, measure=measure)
    if is_full_first:
        await watch.failed(FULL)
    async with watching(watch):
        await eventually(lambda: bool(holds.of(STORAGE_DOWN)))
        assert "Stale file handle" in str(holds.of(STORAGE_DOWN))
        problem = None
        await eventually(lambda: not holds.all)


async def test_nothing_begins_on_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as first:
        job = await first.jobs.create(a_spec())
    holds = Holds()
    full = DiskWatch(tmp_path, holds, floor_bytes=1 << 60)

    async with open_desk(tmp_path, store=first.store, holds=holds, storage=full) as second:
        assert [hold.reason for hold in holds.all] == [STORAGE_FULL]
        assert second.jobs.queue.phase(job.id) is Phase.WAITING
    assert second.runner.begun == []


@pytest.mark.parametrize(("error", "reason"), [(FULL, STORAGE_FULL), (DOWN, STORAGE_DOWN)])
@pytest.mark.parametrize("kind", [DiskWatch, StorageRest])
async def test_what_found_no_place_is_tried_again_some_time_later(
    tmp_path: Path, kind: type[DiskWatch | StorageRest], error: StorageFullError, reason: str
) -> None:
    holds = Holds()
    watch = StorageRest(holds) if kind is StorageRest else DiskWatch(tmp_path, holds, floor_bytes=1)
    async with watching(watch):
        await watch.failed(error)
        assert [hold.reason for hold in holds.all] == [reason]

        await eventually(lambda: not holds.all)
