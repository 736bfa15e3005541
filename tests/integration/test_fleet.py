"""The fleet's queue: who gets a slot, and that none is ever lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from executors.balance import Wish, WorkerView
from executors.errors import NoWorkerError
from executors.fleet import Fleet, open_fleet
from executors.link import WorkerLink
from serving.channel import new_channel
from tests.support.eventually import eventually
from tests.support.farm import running_worker
from tests.support.picture_renderer import PictureRenderer

WISH = Wish(job_id="job", digest=None)


class Names:
    """Addresses that come and go, and sometimes cannot be told."""

    def __init__(self, *addresses: str) -> None:
        self.now = frozenset(addresses)
        self.broken = False

    async def addresses(self) -> frozenset[str]:
        if self.broken:
            raise OSError("no name server answers")
        return self.now


@asynccontextmanager
async def a_fleet(names: Names, worker_wait_s: float = 5.0) -> AsyncGenerator[Fleet]:
    async with open_fleet(names, worker_wait_s=worker_wait_s) as fleet:
        yield fleet


async def test_slots_are_granted_first_come_first_served() -> None:
    order: list[int] = []

    async def use(fleet: Fleet, number: int) -> None:
        async with fleet.lease(WISH):
            order.append(number)
            await asyncio.sleep(0.005)

    async with (
        running_worker(PictureRenderer()) as worker,
        a_fleet(Names(worker.address)) as fleet,
        asyncio.TaskGroup() as group,
    ):
        for number in range(8):
            group.create_task(use(fleet, number))

    assert order == list(range(8))


async def test_never_more_leases_than_slots() -> None:
    most = 0

    async def use(fleet: Fleet) -> None:
        nonlocal most
        async with fleet.lease(WISH) as link:
            most = max(most, link.leased)
            await asyncio.sleep(0.002)

    async with (
        running_worker(PictureRenderer(), slots=3) as worker,
        a_fleet(Names(worker.address)) as fleet,
    ):
        async with asyncio.TaskGroup() as group:
            for _ in range(30):
                group.create_task(use(fleet))
        assert [link.leased for link in fleet.links] == [0]

    assert most == 3


async def test_a_slot_that_is_granted_in_the_moment_of_a_cancel_is_not_lost() -> None:
    async def wait(fleet: Fleet) -> None:
        async with fleet.lease(WISH):
            await asyncio.Event().wait()

    async with running_worker(PictureRenderer()) as worker, a_fleet(Names(worker.address)) as fleet:
        async with fleet.lease(WISH):
            waiting = asyncio.create_task(wait(fleet))
            await asyncio.sleep(0)
        # The lease above has just been granted to `waiting`, which has not run since.
        waiting.cancel()
        await asyncio.wait([waiting])

        assert [link.leased for link in fleet.links] == [0]
        async with asyncio.timeout(2), fleet.lease(WISH):
            pass


async def test_workers_that_come_later_are_used_and_those_that_left_are_forgotten() -> None:
    names = Names()
    async with a_fleet(names) as fleet:
        async with running_worker(PictureRenderer()) as worker:
            names.now = frozenset({worker.address})
            async with fleet.lease(WISH) as link:
                assert link.address == worker.address

                names.now = frozenset()
                await eventually(lambda: link.gone)
                assert fleet.links == [link]

        await eventually(lambda: fleet.links == [])


async def test_a_name_server_that_fails_takes_no_worker_away() -> None:
    async with running_worker(PictureRenderer()) as worker:
        names = Names(worker.address)
        async with a_fleet(names) as fleet:
            await eventually(lambda: any(link.is_serving for link in fleet.links))
            names.broken = True
            await fleet._refresh()

            async with asyncio.timeout(2), fleet.lease(WISH) as link:
                assert link.address == worker.address


async def test_a_draining_worker_gets_nothing_new() -> None:
    async with running_worker(PictureRenderer()) as worker:
        worker.attempts.draining = True
        async with a_fleet(Names(worker.address), worker_wait_s=0.5) as fleet:
            with pytest.raises(NoWorkerError, match="draining"):
                async with fleet.lease(WISH):
                    pass


async def test_a_chunk_that_is_cancelled_as_it_is_given_up_does_not_end_the_fleet() -> None:
    async def wait(fleet: Fleet) -> None:
        async with fleet.lease(WISH):
            pass

    async with a_fleet(Names(), worker_wait_s=0.0) as fleet:
        waiting = asyncio.create_task(wait(fleet))
        await asyncio.sleep(0)
        waiting.cancel()
        # The fleet's next look at the queue comes before the cancelled task has run.
        fleet._give_up_hopeless(time.monotonic())
        await asyncio.wait([waiting])

        assert waiting.cancelled()


async def test_a_long_queue_that_a_free_slot_does_not_help_costs_little() -> None:
    looks = 0

    class Looked(WorkerLink):
        def view(self, wish: Wish | None) -> WorkerView:
            nonlocal looks
            looks += 1
            return super().view(wish)

    async def hold(fleet: Fleet) -> None:
        async with fleet.job("job"), fleet.lease(WISH):
            await asyncio.Event().wait()

    old, new = PictureRenderer(fingerprint="old"), PictureRenderer(fingerprint="new")
    names = Names()
    async with (
        running_worker(old) as first,
        running_worker(new) as second,
        a_fleet(names) as fleet,
    ):
        for address in (first.address, second.address):
            fleet._links[address] = Looked(address, new_channel(address))
        names.now = frozenset({first.address, second.address})
        await eventually(lambda: all(link.is_serving for link in fleet.links))
        looks = 0
        waiting = [asyncio.create_task(hold(fleet)) for _ in range(500)]
        await eventually(lambda: len(fleet._queue) == 499)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    assert looks < 10 * 500
