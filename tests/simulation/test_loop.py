"""Virtual time: what the simulation stands on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from executors.tasks import task_group

from .loop import Limits, Process, SimulationError, VirtualLoop, current_process, simulate

pytestmark = pytest.mark.timeout(30)


def test_a_day_passes_in_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began_s = time.monotonic()
    limits = Limits(virtual_s=100_000)

    assert simulate(main(), limits=limits) == 86_400
    assert time.monotonic() - began_s < 5


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def main() -> None:
        async with task_group() as group:
            for seconds in (3.0, 1.0, 2.0, 1.5):
                group.create_task(sleeper(seconds))

    simulate(main())

    assert woken == [1.0, 1.5, 2.0, 3.0]


def test_a_group_is_cancelled_in_the_order_of_creation() -> None:
    ended: list[int] = []

    async def child(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def main() -> None:
        async with task_group() as group:
            for number in range(50):
                group.create_task(child(number))
            await asyncio.sleep(1)
            raise KeyError

    with pytest.raises(KeyError):
        simulate(main())

    assert ended == list(range(50))


async def _deadlocked() -> None:
    await asyncio.get_running_loop().create_future()


async def _forgetful() -> None:
    async def broken() -> None:
        raise KeyError("reaper")

    reaper = asyncio.create_task(broken(), name="reaper")
    while True:  # the others go on, and nobody looks
        await asyncio.sleep(1)
    await reaper


async def _endless() -> None:
    while True:
        await asyncio.sleep(1)


async def _spinning() -> None:
    while True:
        await asyncio.sleep(0)


async def _threaded() -> None:
    await asyncio.to_thread(print)


async def _breaking_callback() -> None:
    asyncio.get_running_loop().call_later(1, lambda: int("x"))
    await asyncio.sleep(5)


@pytest.mark.parametrize(
    ("main", "told"),
    [
        (_deadlocked, "deadlock"),
        (_forgetful, "nobody handles the error of task reaper: KeyError"),
        (_endless, "not done after 500 virtual s"),
        (_spinning, "not done after 20000 steps"),
        (_threaded, "a thread on the simulated path, for <built-in function print>"),
        (_breaking_callback, "the event loop complains"),
    ],
)
def test_what_would_hang_or_pass_unseen_fails_the_run(
    main: Callable[[], Coroutine[Any, Any, None]], told: str
) -> None:
    with pytest.raises(SimulationError, match=told):
        simulate(main(), limits=Limits(virtual_s=500, steps=20_000, wall_s=20))


def test_a_process_that_dies_does_nothing_more_not_even_clean_up() -> None:
    did: list[str] = []

    async def worker() -> None:
        try:
            while True:
                await asyncio.sleep(1)
                did.append("work")
        finally:
            did.append("clean-up")

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        process = Process("victim")
        loop.in_process(process, worker(), name="worker")
        await asyncio.sleep(2.5)
        loop.kill(process)
        await asyncio.sleep(10)
        return list(did)

    assert simulate(main()) == ["work", "work"]


async def _failing_at_its_death(*, is_killed: bool) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    process = Process("victim")
    asked = loop.create_future()

    async def ask() -> None:
        await asked

    task = loop.in_process(process, ask(), name="ask")
    await asyncio.sleep(1)
    asked.set_exception(KeyError("ask"))
    while not task.done():
        await asyncio.sleep(0)
    if is_killed:  # in the very step in which somebody of it would have been told
        loop.kill(process)
    await asyncio.sleep(1)


def test_nobody_need_look_at_an_error_of_a_process_that_died_with_it() -> None:
    simulate(_failing_at_its_death(is_killed=True))
    with pytest.raises(SimulationError, match="nobody handles the error of task ask: KeyError"):
        simulate(_failing_at_its_death(is_killed=False))


def test_tasks_and_timers_belong_to_the_process_that_began_them() -> None:
    seen: list[object] = []

    async def child() -> None:
        seen.append(current_process())

    async def parent() -> None:
        asyncio.get_running_loop().call_later(1, lambda: seen.append(current_process()))
        async with task_group() as group:
            group.create_task(child())

    async def main() -> Process:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        process = Process("mine")
        await loop.in_process(process, parent(), name="parent")
        await asyncio.sleep(2)
        seen.append(current_process())
        return process

    process = simulate(main())

    assert seen == [process, process, None]


def test_a_trap_springs_between_two_steps_of_whoever_runs() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        sprung, turns = asyncio.Event(), 0
        loop.after_steps(7, sprung.set)
        while not sprung.is_set():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert 0 < simulate(main()) == simulate(main()) <= 7
