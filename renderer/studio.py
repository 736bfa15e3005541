"""Studio: what every render of a renderer shares, and a page put on its stage."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .capture.choose import choose, page_scripts
from .capture.remembering import RememberingCapture
from .media.fetching import Visitor
from .session import Opening, Session, open_session
from .warm_browser import Listener, WarmPage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .events import OnRenderEvent
    from .keeping import View
    from .media.projection import MediaRoom
    from .site import Site
    from .tools import Tools
    from .warm import WarmBrowsers
    from .warm_browser import WarmBrowser

_MEDIA: Final = "window[Symbol.for('framefarm.media')]"

OnStage = tuple[Session, RememberingCapture]


@dataclass(frozen=True, slots=True)
class Studio:
    """What every render of a renderer shares."""

    warm: WarmBrowsers
    site: Site
    tools: Tools
    frame_timeout_s: float
    media: MediaRoom

    @asynccontextmanager
    async def stage(self, view: View, on_event: OnRenderEvent) -> AsyncGenerator[OnStage]:
        """Have a page ready to go on to the view's start, for the length of the block.

        It is fresh, and stands at frame 0, or it has been filmed before up to some frame.
        """
        async with self.warm.lent(view) as warm:
            page = warm.page
            if page is None:
                page = warm.page = await self._open(warm, view, on_event)
            else:
                page.listener.on_event = on_event
                await page.session.evaluate(f"{_MEDIA}?.drawFrom({view.first_drawn})")
            try:
                yield page.session, page.capture
            finally:
                page.listener.on_event = None

    async def _open(self, warm: WarmBrowser, view: View, on_event: OnRenderEvent) -> WarmPage:
        settings = view.settings
        listener = Listener(on_event)
        async with AsyncExitStack() as life:
            projection = self.media.projection(Visitor(view.url, settings), view.first_drawn)
            media_script = await life.enter_async_context(projection)
            scripts = (*page_scripts(settings), media_script, *view.scripts)
            opening = Opening(view.url, settings, scripts, self.frame_timeout_s, view.reads_memory)
            session = await open_session(warm.browser, opening, listener)
            return WarmPage(
                key=view.key,
                session=session,
                capture=RememberingCapture(choose(session, settings, session.surface)),
                listener=listener,
                life=life.pop_all(),
            )
