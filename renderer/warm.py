"""Warm browsers: kept between renders, with the page that was filmed last, as `keeping` decides."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from . import processes
from .ahead import StartedAhead
from .drawing import Screen
from .errors import RenderError
from .keeping import choose, next_chore
from .warm_browser import WarmBrowser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from .browser import Browser
    from .keeping import Choice, Chore, KeptBrowser, KeptPage, View, WarmLimits

    # Starts a browser that draws on such a screen.
    StartBrowser = Callable[[Screen], AbstractAsyncContextManager[Browser]]

_USUAL: Final = Screen()


@asynccontextmanager
async def open_warm_browsers(
    start: StartBrowser, limits: WarmLimits
) -> AsyncGenerator[WarmBrowsers]:
    """Keep browsers until the block ends; then no process of them is left."""
    browsers = WarmBrowsers(start, limits)
    # A task group would wrap the errors of the block; this task's owner is the block itself.
    housekeeping = asyncio.create_task(browsers.keep_house(), name="warm-browsers")
    try:
        yield browsers
    finally:
        await browsers.close()
        await housekeeping


class WarmBrowsers:
    """Lends browsers to renders, one to each, and keeps them warm in between."""

    def __init__(self, start: StartBrowser, limits: WarmLimits) -> None:
        self._start = start
        self._limits = limits
        self._ids = count()
        self._idle: dict[int, WarmBrowser] = {}
        self._lent = 0
        self._ahead = StartedAhead(self._keep)
        self._is_closed = False
        self._changed = asyncio.Event()

    @property
    def pages(self) -> tuple[KeptPage, ...]:
        """The pages that stand ready."""
        return tuple(warm.page.kept for warm in self._idle.values() if warm.page)

    @asynccontextmanager
    async def lent(self, view: View) -> AsyncGenerator[WarmBrowser]:
        """Lend a browser for the block: with a page that can go on to the view, or with none.

        When the block raises, the browser has ended before the error goes on.

        Raises:
            BrowserLostError: Chromium did not start.

        """
        self._lent += 1
        try:
            warm = await self._taken(view)
            is_sound = False
            try:
                yield warm
                is_sound = not warm.has_failed
            finally:
                await (self._give_back(warm, view) if is_sound else warm.end())
        finally:
            self._lent -= 1

    async def end_series(self, series: str) -> None:
        """Close the pages that wait for more of a series. Their browsers stay."""
        waiting = [warm for warm in self._idle.values() if warm.page]
        async with asyncio.TaskGroup() as group:
            for warm in waiting:
                if warm.page and warm.page.key.series == series:
                    del self._idle[warm.id]
                    group.create_task(self._bare(warm), name=f"close-page-{warm.id}")

    async def start_ahead(self, screen: Screen = _USUAL) -> None:
        """Start as many browsers as are kept. A view that comes meanwhile waits for one of them.

        One that does not start is not missed here: the view that needs it is told.
        """
        starting = [self._started(screen) for _ in range(self._limits.browsers)]
        await self._ahead.start(screen, starting)

    async def keep_house(self) -> None:
        """End what has been idle for too long, until closed. Someone must run this."""
        while not self._is_closed:
            self._changed.clear()
            chore = next_chore(self._known(), self._limits)
            now_s = asyncio.get_running_loop().time()
            if chore is not None and chore.at_s <= now_s:
                await self._do(chore)
            else:
                await self._until_changed(chore.at_s - now_s if chore else None)

    async def close(self) -> None:
        """End all that is idle; what is lent ends when it is given back."""
        self._is_closed = True
        self._changed.set()
        async with asyncio.TaskGroup() as group:
            while self._idle:
                _, warm = self._idle.popitem()
                group.create_task(warm.end(), name=f"end-browser-{warm.id}")

    async def _taken(self, view: View) -> WarmBrowser:
        while (choice := self._chosen(view)).take is not None:
            warm = self._idle.pop(choice.take)
            if await self._is_ready(warm, with_page=choice.with_page):
                return warm
        if choice.end is not None:
            await self._idle.pop(choice.end).end()
        if self._ahead.has(view.screen):
            return await self._ahead.take()
        return await self._started(view.screen)

    async def _started(self, screen: Screen) -> WarmBrowser:
        async with AsyncExitStack() as life:
            browser = await life.enter_async_context(self._start(screen))
            return WarmBrowser(
                id=next(self._ids), browser=browser, screen=screen, life=life.pop_all()
            )

    def _chosen(self, view: View) -> Choice:
        others = self._lent - 1
        room = self._limits.browsers - len(self._idle) - others
        return choose(view, self._known(), room=room)

    def _known(self) -> list[KeptBrowser]:
        return [warm.kept(self._limits) for warm in self._idle.values()]

    async def _is_ready(self, warm: WarmBrowser, *, with_page: bool) -> bool:
        """Make an idle browser ready for its page, or for another; end it if it does not answer."""
        is_ready = False
        try:
            is_ready = await warm.answers(with_page=with_page)
        finally:
            if not is_ready:
                await warm.end()
        return is_ready

    async def _give_back(self, warm: WarmBrowser, view: View) -> None:
        warm.chunks += 1
        is_fit = False
        try:
            is_fit = await self._is_fit(warm, view)
        finally:
            if not is_fit:
                await warm.end()
        if is_fit:
            self._keep(warm)

    async def _is_fit(self, warm: WarmBrowser, view: View) -> bool:
        """Tell whether a browser may be kept; close its page if nobody will want it."""
        limits = self._limits
        if self._is_closed or len(self._idle) + self._lent > limits.browsers:
            return False
        if not (view.series and view.goes_on):
            if warm.is_worn(limits):
                return False
            try:
                await warm.close_page()
            except RenderError:
                return False
        held_bytes = await asyncio.to_thread(processes.memory_bytes, warm.browser.pid)
        return held_bytes <= limits.browser_bytes and not self._is_closed

    def _keep(self, warm: WarmBrowser) -> None:
        warm.idle_since_s = asyncio.get_running_loop().time()
        self._idle[warm.id] = warm
        self._changed.set()

    async def _until_changed(self, limit_s: float | None) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), limit_s)

    async def _do(self, chore: Chore) -> None:
        warm = self._idle.pop(chore.browser)
        await (warm.end() if chore.ends_browser else self._bare(warm))

    async def _bare(self, warm: WarmBrowser) -> None:
        """Close the page of a browser that is taken out, and put it back."""
        if warm.is_worn(self._limits) or self._is_closed:
            await warm.end()
        elif await self._is_ready(warm, with_page=False):
            if self._is_closed:
                await warm.end()
            else:
                self._idle[warm.id] = warm  # as long idle as it was
                self._changed.set()
