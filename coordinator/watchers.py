"""Watchers: the calls that watch jobs. There are so many, and none for whoever takes nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

# Longer than any hiccup of a network: one that is gone for good ends by its keepalive.
STALLED_S: Final = 60.0


class TooManyWatchersError(Exception):
    """No more streams of events are kept at once."""


class WatcherStalledError(Exception):
    """A watcher has taken nothing for so long that its place is another's."""


class Watchers:
    """Counts them, and ends the calls of those who read nothing though there is something."""

    def __init__(self, *, most: int, stalled_s: float = STALLED_S) -> None:
        self.count = 0
        self._most = most
        self._stalled_s = stalled_s

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Callable[[Awaitable[None]], Awaitable[None]]]:
        """A place for one; it is given a function that awaits what is told to it.

        Raises:
            TooManyWatchersError: all are taken.
            WatcherStalledError: it has not been taken in time.

        """
        if self.count >= self._most:
            raise TooManyWatchersError(f"{self.count} calls watch already; end some, or GetJob")
        self.count += 1
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)  # one for all: there are many events
        try:
            async with limit:

                async def told(telling: Awaitable[None]) -> None:
                    limit.reschedule(loop.time() + self._stalled_s)
                    await telling
                    limit.reschedule(None)

                yield told
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise WatcherStalledError(
                f"nothing was read for {self._stalled_s:g} s: watch again, from the last event read"
            ) from error
        finally:
            self.count -= 1
