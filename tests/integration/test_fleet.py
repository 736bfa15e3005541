"""The fleet: who gets a slot, that none is ever lost, and workers that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executors.base import AttemptStarted
from executors.errors import NoWorkerError
from executors.fleet import Fleet, open_fleet
from executors.grpc import GrpcExecutor, connect_to
from renderer.bundle import BundleStore
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.farm import all_asked, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_task


class Names:
    """Addresses that come and go, and sometimes cannot be told."""

    def __init__(self, *addresses: str) -> None:
        self.now = frozenset(addresses)
        self.broken = False
        self.looks = 0

    async def addresses(self) -> frozenset[str]:
        self.looks += 1
        if self.broken:
            raise OSError("no name server answers")
        return self.now


class Farm:
    """Renders tasks by a fleet, into a folder."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.workers: list[str] = []  # as attempts began
        self._executor = GrpcExecutor(fleet)
        self._folder = folder

    async def render(self, number: int = 0, **props: Any) -> None:
        task = replace(a_task(10 * number, 10 * number + 2, **props), index=number)
        output = self._folder / f"{number}.mp4"
        await self._executor.render(task, output, on_progress=self._hear)

    def _hear(self, event: object) -> None:
        if isinstance(event, AttemptStarted):
            self.workers.append(event.worker)


@asynccontextmanager
async def a_farm(names: Names, folder: Path, worker_wait_s: float = 60.0) -> AsyncGenerator[Farm]:
    connect = connect_to(BundleStore(folder / "store"))
    async with open_fleet(names, connect, worker_wait_s=worker_wait_s) as fleet:
        yield Farm(fleet, folder)


async def test_chunks_of_a_job_are_begun_in_their_order(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with (
        running_worker(renderer) as worker,
        a_farm(Names(worker.address), tmp_path) as farm,
        asyncio.TaskGroup() as group,
    ):
        for number in range(5):
            group.create_task(farm.render(number))

    starts = [frames.start for frames in renderer.begun]
    assert starts == [0, 10, 20, 30, 40]


async def test_never_more_chunks_are_filmed_than_slots_nor_twice_as_many_on_their_way(
    tmp_path: Path,
) -> None:
    gate, darkroom, most, most_running = asyncio.Semaphore(0), asyncio.Event(), 0, 0
    renderer = PictureRenderer(gate=gate, darkroom=darkroom)

    async def look() -> None:
        nonlocal most, most_running
        while True:
            most = max(most, len(renderer.filming))
            most_running = max(most_running, len(renderer.running))
            await asyncio.sleep(0.001)

    async with (
        running_worker(renderer, slots=3) as worker,
        a_farm(Names(worker.address), tmp_path) as farm,
    ):
        looking = asyncio.create_task(look())
        async with asyncio.TaskGroup() as group:
            for number in range(9):
                group.create_task(farm.render(number))
            await eventually(lambda: len(renderer.filming) == 3)
            for _ in range(3):
                gate.release()
            await eventually(lambda: len(renderer.running) == 6)
            for _ in range(3):
                gate.release()
            await eventually(lambda: not renderer.filming)
            darkroom.set()
            for _ in range(3):
                gate.release()
        looking.cancel()
        assert [(each.leased, each.filmed) for each in farm.fleet.workers] == [(0, 0)]

    assert most == 3
    assert most_running == 6


async def test_a_chunk_that_is_cancelled_as_it_begins_gives_its_slot_back(tmp_path: Path) -> None:
    async with (
        running_worker(PictureRenderer()) as worker,
        a_farm(Names(worker.address), tmp_path) as farm,
    ):
        await farm.render(0)
        waiting = asyncio.create_task(farm.render(1, hang=1))
        await asyncio.sleep(0)  # it is offered,
        await asyncio.sleep(0)  # and its attempt exists now, and has not run yet
        assert farm.workers == [worker.address, worker.address]
        waiting.cancel()
        await asyncio.wait([waiting])

        assert [each.leased for each in farm.fleet.workers] == [0]
        await farm.render(2)


async def test_workers_that_come_later_are_used_and_those_that_left_are_forgotten(
    tmp_path: Path,
) -> None:
    names = Names()
    async with a_farm(names, tmp_path) as farm:
        gate = asyncio.Semaphore(0)
        async with running_worker(PictureRenderer(gate=gate)) as worker:
            names.now = frozenset({worker.address})
            rendering = asyncio.create_task(farm.render())
            await eventually(lambda: farm.workers == [worker.address])

            names.now = frozenset()
            await eventually(lambda: any(each.has_left for each in farm.fleet.workers))
            gate.release()
            await rendering  # what runs goes on

        await eventually(lambda: farm.fleet.workers == [])


async def test_a_name_server_that_fails_takes_no_worker_away(tmp_path: Path) -> None:
    async with running_worker(PictureRenderer()) as worker:
        names = Names(worker.address)
        async with a_farm(names, tmp_path) as farm:
            await eventually(lambda: any(each.is_serving for each in farm.fleet.workers))
            names.broken = True
            looks = names.looks
            await eventually(lambda: names.looks > looks + 1)

            await farm.render()

    assert farm.workers == [worker.address]


async def test_a_draining_worker_gets_nothing_new(tmp_path: Path) -> None:
    async with running_worker(PictureRenderer()) as worker:
        worker.attempts.draining = True
        async with a_farm(Names(worker.address), tmp_path, worker_wait_s=0.5) as farm:
            await all_asked(farm.fleet)
            with pytest.raises(NoWorkerError, match="draining"):
                await farm.render()


async def test_a_paused_job_begins_nothing_and_goes_on_when_it_is_resumed(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with (
        running_worker(renderer) as worker,
        a_farm(Names(worker.address), tmp_path) as farm,
        asyncio.TaskGroup() as group,
    ):
        farm.fleet.pause_job("job")
        rendering = group.create_task(farm.render())
        await eventually(lambda: any(each.is_serving for each in farm.fleet.workers))
        assert not farm.workers

        farm.fleet.resume_job("job")
        await rendering

    assert renderer.rendered == [FrameRange(0, 2)]
