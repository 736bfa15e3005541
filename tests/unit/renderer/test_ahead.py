"""What was started ahead is taken once, kept where nobody takes it, and never lost."""

from __future__ import annotations

import asyncio

from renderer.ahead import StartedAhead
from renderer.tasks import beside


async def thing(name: str, ready: asyncio.Event) -> str:
    await ready.wait()
    if name == "broken":
        raise OSError("it does not start")
    return name


async def test_what_nobody_takes_is_kept() -> None:
    kept, ready = list[str](), asyncio.Event()
    ahead = StartedAhead(kept.append)
    ready.set()

    await ahead.start("a kind", [thing("one", ready), thing("other", ready)])

    assert kept == ["one", "other"]
    assert not ahead.has("a kind")


async def test_what_is_taken_meanwhile_is_not_kept() -> None:
    kept, ready = list[str](), asyncio.Event()
    ahead = StartedAhead(kept.append)
    async with beside(ahead.start("a kind", [thing("one", ready), thing("other", ready)])) as all_:
        await asyncio.sleep(0)
        assert ahead.has("a kind")
        assert not ahead.has("another kind")
        taking = asyncio.create_task(ahead.take())
        await asyncio.sleep(0)
        ready.set()

        assert await taking == "one"
        await all_

    assert kept == ["other"]


async def test_what_fails_is_told_to_who_takes_it_and_to_nobody_else() -> None:
    kept, ready = list[str](), asyncio.Event()
    ahead = StartedAhead(kept.append)
    async with beside(
        ahead.start("kind", [thing("broken", ready), thing("broken", ready)])
    ) as all_:
        await asyncio.sleep(0)
        taking = asyncio.create_task(ahead.take())
        await asyncio.sleep(0)
        ready.set()
        await asyncio.wait([taking])

        assert isinstance(taking.exception(), OSError)
        await all_

    assert kept == []


async def test_who_is_cancelled_leaves_it_for_another() -> None:
    kept, ready = list[str](), asyncio.Event()
    ahead = StartedAhead(kept.append)
    async with beside(ahead.start("kind", [thing("one", ready)])) as all_:
        await asyncio.sleep(0)
        taking = asyncio.create_task(ahead.take())
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])

        assert ahead.has("kind")
        ready.set()
        await all_

    assert kept == ["one"]


async def test_the_end_of_the_start_ends_what_is_on_its_way() -> None:
    kept, ready = list[str](), asyncio.Event()
    ahead = StartedAhead(kept.append)
    async with beside(ahead.start("kind", [thing("one", ready)])):
        await asyncio.sleep(0)

    assert not ahead.has("kind")
    assert kept == []
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"started-ahead"})


async def test_work_beside_a_block_ends_with_it() -> None:
    async with beside(asyncio.Event().wait()) as task:
        await asyncio.sleep(0)

    assert task.cancelled()
