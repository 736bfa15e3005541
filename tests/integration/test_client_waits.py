"""A farm that says "not now, come again then": its clients come again then, and say so."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from coordinator.job import JobState
from coordinator.standby import wait_to_lead
from framefarm.client import FarmClient
from framefarm.errors import CallFailedError
from framefarm.patience import Waiting
from serving.status import RichStatus
from tests.support.command_line import framefarm
from tests.support.fake_coordinator import Script, fake_coordinator
from tests.support.tasks import a_spec

FULL = RichStatus(
    code=grpc.StatusCode.RESOURCE_EXHAUSTED,
    message="9 jobs wait already",
    reason="QUEUE_FULL",
    retry_after_s=0.2,
)
DOWN = replace(FULL, code=grpc.StatusCode.UNAVAILABLE, message="it is down", reason="STORE_DOWN")


async def test_a_client_comes_again_when_it_was_told_to_and_says_why_once(tmp_path: Path) -> None:
    said = list[str]()
    began_s = time.monotonic()
    script = Script(refusals=[FULL, FULL, DOWN, FULL])
    async with (
        fake_coordinator(tmp_path, script) as (address, _),
        FarmClient(address, wait_s=60, on_wait=said.append) as farm,
    ):
        job = await farm.create(a_spec())

    assert job.id
    assert time.monotonic() - began_s >= 4 * 0.2
    first, second = said
    assert first == "9 jobs wait already (QUEUE_FULL); asking again, for up to 60 s"
    # Of the minute, two waits are gone by then: some tenths of a second each.
    assert second.startswith("it is down (STORE_DOWN); asking again, for up to ")


class TakenLock:
    """Another coordinator has it."""

    async def hold(self) -> bool:
        return False

    async def term(self) -> int:
        return 1


@asynccontextmanager
async def a_standby() -> AsyncGenerator[str]:
    stopping, address = asyncio.Event(), asyncio.get_running_loop().create_future()
    waiting = wait_to_lead("127.0.0.1:0", TakenLock(), stopping, announce=address.set_result)
    task = asyncio.create_task(waiting)
    try:
        yield await address
    finally:
        stopping.set()
        await task


async def test_of_two_coordinators_the_one_that_leads_is_found(tmp_path: Path) -> None:
    async with a_standby() as other, fake_coordinator(tmp_path, Script()) as (leads, fake):
        for addresses in (f"{other},{leads}", f"{leads},{other}"):
            async with FarmClient(f"ipv4:{addresses}", wait_s=60) as farm:
                job = await farm.create(a_spec())
                assert (await farm.wait(job.id)).state is JobState.SUCCEEDED

    assert len(fake.jobs) == 2


async def test_a_client_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    script = Script(refusals=[replace(FULL, retry_after_s=30.0)] * 9)
    async with fake_coordinator(tmp_path, script) as (address, _):
        for wait_s, asked in ((0.0, 1), (0.3, 2)):
            left, began_s = len(script.refusals), time.monotonic()
            async with FarmClient(address, wait_s=wait_s) as farm:
                with pytest.raises(CallFailedError, match="QUEUE_FULL"):
                    await farm.create(a_spec())

            assert left - len(script.refusals) == asked
            assert wait_s <= time.monotonic() - began_s < 30


async def test_a_watcher_that_finds_no_place_comes_again(tmp_path: Path) -> None:
    script = Script(watch_refusals=[replace(FULL, reason="TOO_MANY_WATCHERS")])
    async with (
        fake_coordinator(tmp_path, script) as (address, fake),
        FarmClient(address, wait_s=60) as farm,
    ):
        job = await farm.create(a_spec())

        assert (await farm.wait(job.id)).state is JobState.SUCCEEDED
        assert fake.seen.watched_after == [0]


async def test_what_has_no_time_told_is_not_asked_again(tmp_path: Path) -> None:
    script = Script(refusals=[replace(FULL, retry_after_s=None)] * 2)
    async with fake_coordinator(tmp_path, script) as (address, _), FarmClient(address) as farm:
        with pytest.raises(CallFailedError, match="QUEUE_FULL"):
            await farm.create(a_spec())

    assert len(script.refusals) == 1


def test_who_was_told_together_does_not_come_together_nor_sooner() -> None:
    waits = [Waiting(rng=random.Random(seed)) for seed in range(20)]

    pauses = [each.pause_s(told_s=10.0, left_s=600.0) for each in waits]

    assert all(10.0 <= pause_s <= 15.0 for pause_s in pauses)
    assert len(set(pauses)) == 20


async def test_the_command_line_waits_and_says_so(tmp_path: Path) -> None:
    script = Script(refusals=[FULL])
    (tmp_path / "page.html").write_text("<p>hello</p>")
    page = ("submit", str(tmp_path / "page.html"), "--frames", "30")
    async with fake_coordinator(tmp_path / "data", script) as (address, fake):
        waited = await framefarm(*page, FRAMEFARM_FARM=address)
        script.refusals.append(FULL)
        refused = await framefarm(*page, "--wait", "0", FRAMEFARM_FARM=address)

    assert (waited.code, waited.out.strip()) == (0, next(iter(fake.jobs)))
    assert "9 jobs wait already (QUEUE_FULL); asking again, for up to 10 min" in waited.err
    assert refused.code == 1
    assert refused.err == "framefarm: 9 jobs wait already (QUEUE_FULL)\n"
