"""A coordinator that starts on a full disk says so, can be read, and goes on when there is room."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coordinator.job import JobState
from framefarm.client import FarmClient
from framefarm.errors import CallFailedError, FarmError
from framefarm.farm_status import FarmState
from tests.support.command_line import CommandLine, framefarm_command
from tests.support.small_disk import fill, small_disk
from tests.support.tasks import a_spec

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "disk", size_bytes=8 * MIB) as folder:
        yield folder


@asynccontextmanager
async def coordinator(disk: Path) -> AsyncGenerator[tuple[CommandLine, FarmClient]]:
    options = ("--workers", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--worker-wait", "60m")
    data = ("--data-dir", str(disk / "data"), "--min-free", "1MiB")
    async with framefarm_command("coordinator", *options, *data) as process:
        address = await process.first_line()
        assert address, (await process.ended()).err
        async with FarmClient(address, wait_s=0) as client:
            yield process, client


async def until_ready(client: FarmClient) -> None:
    async with asyncio.timeout(60):
        while (await client.farm()).state is not FarmState.READY:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("leave_bytes", [0, 100 << 10])
async def test_a_coordinator_on_a_full_disk_can_be_read_and_goes_on_when_there_is_room(
    disk: Path, tmp_path: Path, leave_bytes: int
) -> None:
    async with coordinator(disk) as (process, client):
        job = await client.create(a_spec(10), request_id="wish")
        process.signal(signal.SIGKILL)
        await process.ended()
    filling = fill(disk, leave_bytes=leave_bytes)

    async with coordinator(disk) as (_, client):
        farm = await client.farm()
        assert (farm.state, [hold.reason for hold in farm.holds]) == (
            FarmState.PAUSED,
            ["STORAGE_FULL"],
        )
        assert "make room there" in farm.holds[0].message
        assert [each.id for each in await client.jobs()] == [job.id]
        assert (await client.create(a_spec(10), request_id="wish")).id == job.id
        for refused in (
            client.create(a_spec(10)),
            client.cancel(job.id),
            client.delete(job.id),
            client.upload(a_page(tmp_path / "page")),
        ):
            with pytest.raises(CallFailedError, match="STORAGE_FULL"):
                await refused
        watching = asyncio.create_task(client.wait(job.id))
        filling.unlink()
        await until_ready(client)

        assert (await client.cancel(job.id)).state is JobState.CANCELLED
        assert (await asyncio.wait_for(watching, 60)).state is JobState.CANCELLED


async def test_a_coordinator_that_can_make_no_database_ends_and_says_why(disk: Path) -> None:
    (disk / "data").mkdir()
    fill(disk)
    with pytest.raises((AssertionError, FarmError), match="free some space|make room there"):
        async with coordinator(disk):
            pass


def a_page(folder: Path) -> Path:
    folder.mkdir()
    (folder / "index.html").write_bytes(bytes(2 * MIB))
    return folder
