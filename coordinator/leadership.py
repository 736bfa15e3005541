"""Leadership: of several coordinators with one database one leads, and the others stand by.

Who holds the database's lock leads. The term in each write keeps a leader that does not know yet
that it was followed from doing harm: what is decided here only has to be right in the end.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

from executors.tasks import task_group

from .stores.base import LostLeadershipError, StoreDownError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

log = logging.getLogger(__name__)

# The database ends the session of a leader that it has not heard for 5 s.
ASK_EVERY_S: Final = 1.0


class StandbyError(Exception):
    """Another coordinator leads: this one answers no jobs."""


class Lock(Protocol):
    """What one coordinator at a time can have."""

    async def hold(self) -> bool:
        """Take it, or see that it is still ours; False: another one has it."""
        ...

    async def term(self) -> int:
        """The number of the coordinator that began to lead last."""
        ...


async def leads_at_once(lock: Lock, *, patience_s: float) -> bool:
    """Whether this coordinator may lead from the start.

    Raises:
        StoreDownError: the database cannot be reached: is it named rightly?

    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + patience_s
    while True:
        try:
            return await lock.hold()
        except StoreDownError:
            if loop.time() >= deadline_s:
                raise
        await asyncio.sleep(ASK_EVERY_S)


async def stand_by(lock: Lock) -> None:
    """Wait until nobody else leads. That the database is down, too, passes."""
    while True:
        try:
            if await lock.hold():
                return
        except StoreDownError as error:
            log.debug("cannot ask who leads", extra={"error": str(error)})
        await asyncio.sleep(ASK_EVERY_S)


class Reign:
    """The time in which this coordinator leads. `is_over` when another one has followed it."""

    def __init__(self, lock: Lock, term: int) -> None:
        self.is_over = False
        self._lock = lock
        self._term = term
        self._is_sure = True

    async def watch(self, say: Callable[[bool], Awaitable[None]]) -> None:
        """Return when it is over; until then, `say` whenever it becomes unsure, or sure again.

        While the database cannot be asked, this coordinator may have been followed: others must
        not be sent to it. It does not end, for a database that starts again is no reason to.
        """
        while not self.is_over:
            await asyncio.sleep(ASK_EVERY_S)
            self.is_over = not await self._goes_on(say)
        log.error("another coordinator leads: this one ends", extra={"term": self._term})

    def check(self) -> None:
        if self.is_over:
            raise LostLeadershipError(
                f"another coordinator leads since this one's term {self._term}: it has ended, and "
                "can be started again to stand by"
            )

    async def _goes_on(self, say: Callable[[bool], Awaitable[None]]) -> bool:
        try:
            leads = await self._lock.hold() and await self._lock.term() == self._term
        except StoreDownError:
            await self._change(say, is_sure=False)
            return True
        if leads:
            await self._change(say, is_sure=True)
        return leads

    async def _change(self, say: Callable[[bool], Awaitable[None]], *, is_sure: bool) -> None:
        if is_sure is self._is_sure:
            return
        self._is_sure = is_sure
        log.warning("leads again" if is_sure else "cannot ask the database whether it still leads")
        await say(is_sure)


@asynccontextmanager
async def watching(
    reign: Reign, *, say: Callable[[bool], Awaitable[None]], on_over: Callable[[], None]
) -> AsyncGenerator[None]:
    """Watch a reign while the block runs, and call `on_over` should it be over."""

    async def watch() -> None:
        await reign.watch(say)
        on_over()

    async with task_group() as group:
        task = group.create_task(watch(), name="leadership")
        try:
            yield
        finally:
            task.cancel()
