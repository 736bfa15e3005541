"""Who leads, decided from what a lock says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from coordinator import leadership
from coordinator.leadership import Reign, leads_at_once, stand_by, watching
from coordinator.stores.base import LostLeadershipError, StoreDownError

OURS = 3
DOWN = StoreDownError("the database is down")


class ScriptedLock:
    """A lock that says what it is told to; at the end it stays as it is."""

    def __init__(self, says: Iterable[bool | StoreDownError], *, term: int = OURS) -> None:
        self._says = list(says)
        self._term = term

    async def hold(self) -> bool:
        said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        if isinstance(said, StoreDownError):
            raise said
        return said

    async def term(self) -> int:
        return self._term


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "ASK_EVERY_S", 0.001)


async def story_of(lock: ScriptedLock) -> tuple[Reign, list[bool]]:
    """What a reign says until it is over."""
    said = list[bool]()
    over = asyncio.Event()

    async def say(is_sure: bool) -> None:
        said.append(is_sure)

    reign = Reign(lock, OURS)
    async with watching(reign, say=say, on_over=over.set):
        await asyncio.wait_for(over.wait(), 60.0)
    return reign, said


async def test_a_reign_is_over_when_another_one_has_the_lock() -> None:
    reign, said = await story_of(ScriptedLock([True, True, False]))

    assert reign.is_over
    assert said == []
    with pytest.raises(LostLeadershipError, match="term 3"):
        reign.check()


async def test_a_reign_is_over_when_a_later_term_began_while_the_lock_was_lost() -> None:
    reign, _ = await story_of(ScriptedLock([True], term=4))

    assert reign.is_over


async def test_a_database_that_comes_back_makes_a_reign_unsure_and_sure_again() -> None:
    _, said = await story_of(ScriptedLock([True, DOWN, DOWN, True, True, DOWN, False]))

    assert said == [False, True, False]


async def test_a_reign_that_is_not_over_says_nothing() -> None:
    Reign(ScriptedLock([True]), OURS).check()


async def test_who_stands_by_waits_through_a_database_that_is_down() -> None:
    lock = ScriptedLock([False, DOWN, False, True])

    await asyncio.wait_for(stand_by(lock), 60.0)

    assert await lock.hold()


async def test_the_first_question_waits_for_the_database_and_not_for_ever() -> None:
    assert await leads_at_once(ScriptedLock([DOWN, DOWN, True]), patience_s=5.0)
    assert not await leads_at_once(ScriptedLock([False]), patience_s=0.0)
    with pytest.raises(StoreDownError):
        await leads_at_once(ScriptedLock([DOWN]), patience_s=0.01)
