"""Studio: what every render of a renderer shares, and a page put on its stage."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .browser import open_browser
from .capture.choose import choose, page_scripts
from .session import Opening, open_session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Playwright

    from .browser import LaunchOptions
    from .capture.base import CaptureStrategy
    from .events import OnRenderEvent
    from .media.projection import MediaRoom
    from .session import Session
    from .settings import RenderSettings
    from .site import Site
    from .tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page and how to look at it. Nobody sees a frame before `first_drawn`.

    `scripts` run in every document before its own, after ours.
    """

    url: str
    settings: RenderSettings
    first_drawn: int
    scripts: tuple[str, ...] = ()
    reads_memory: bool = True


@dataclass(frozen=True, slots=True)
class Studio:
    """What every render of a renderer shares."""

    playwright: Playwright
    launch: LaunchOptions
    site: Site
    tools: Tools
    frame_timeout_s: float
    media: MediaRoom

    @asynccontextmanager
    async def stage(
        self, view: View, on_event: OnRenderEvent
    ) -> AsyncGenerator[tuple[Session, CaptureStrategy]]:
        """Open the page in a browser of its own, ready for frame 0, for the length of the block."""
        settings = view.settings
        launch = replace(self.launch, device_scale_factor=settings.device_scale_factor)
        projection = self.media.projection(settings.frame_rate, view.first_drawn)
        async with projection as media_script, open_browser(self.playwright, launch) as browser:
            scripts = (*page_scripts(settings), media_script, *view.scripts)
            opening = Opening(view.url, settings, scripts, self.frame_timeout_s, view.reads_memory)
            session = await open_session(browser, opening, on_event)
            yield session, choose(session, settings, session.surface)
