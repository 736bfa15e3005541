"""A browser that is kept between renders, and the page in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .errors import RenderError
from .keeping import KeptBrowser, KeptPage, is_worn

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from .browser import Browser
    from .capture.remembering import RememberingCapture
    from .drawing import Screen
    from .events import OnRenderEvent, RenderEvent
    from .keeping import PageKey, WarmLimits
    from .session import Session

# A browser that has stood still for a while answers in some ms, one that is frozen never does.
_ANSWER_TIMEOUT_S: Final = 3.0
_CLOSE_TIMEOUT_S: Final = 2.0


class Listener:
    """Hands what a page says to the render that films it now."""

    def __init__(self, on_event: OnRenderEvent) -> None:
        self.on_event: OnRenderEvent | None = on_event

    def __call__(self, event: RenderEvent) -> None:
        if self.on_event is not None:
            self.on_event(event)


@dataclass(slots=True, kw_only=True)
class WarmPage:
    """A page that is open. `life` ends what serves it, besides its browser."""

    key: PageKey
    session: Session
    capture: RememberingCapture
    listener: Listener
    life: AsyncExitStack

    @property
    def kept(self) -> KeptPage:
        remembered = self.capture.last_frame
        from_frame = self.session.next_frame if remembered is None else remembered
        return KeptPage(key=self.key, from_frame=from_frame)


@dataclass(eq=False, slots=True, kw_only=True)
class WarmBrowser:
    """A browser that runs, the page in it, and what it has done."""

    id: int
    browser: Browser
    screen: Screen
    life: AsyncExitStack
    page: WarmPage | None = None
    chunks: int = 0
    frames: int = 0  # of pages that are closed
    idle_since_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def has_failed(self) -> bool:
        page_failed = self.page is not None and self.page.session.has_failed
        return page_failed or self.browser.root.has_failed

    def is_worn(self, limits: WarmLimits) -> bool:
        of_page = self.page.session.frames_played if self.page else 0
        return is_worn(limits, frames=self.frames + of_page, chunks=self.chunks)

    def kept(self, limits: WarmLimits) -> KeptBrowser:
        return KeptBrowser(
            id=self.id,
            screen=self.screen,
            idle_since_s=self.idle_since_s,
            is_worn=self.is_worn(limits),
            page=self.page.kept if self.page else None,
        )

    async def answers(self, *, with_page: bool) -> bool:
        """Tell whether it is still there, with its page, or without it from now on."""
        try:
            if with_page and self.page is not None:
                await asyncio.wait_for(self.page.session.evaluate("0"), _ANSWER_TIMEOUT_S)
            else:
                await self.browser.root.call("Browser.getVersion", timeout_s=_ANSWER_TIMEOUT_S)
                await self.close_page()
        except (RenderError, TimeoutError):
            return False
        return True

    async def close_page(self) -> None:
        """End the page, and what serves it.

        Raises:
            RenderError: the browser does not close it; end the browser.

        """
        if self.page is None:
            return
        await self.page.session.close(timeout_s=_CLOSE_TIMEOUT_S)
        page, self.page = self.page, None
        self.frames += page.session.frames_played
        await page.life.aclose()

    async def end(self) -> None:
        try:
            await self.life.aclose()
        finally:
            if self.page is not None:
                await self.page.life.aclose()
