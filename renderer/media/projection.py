"""Joins the two halves: the page's elements (`takeover/`) and the worker's decoders."""

from __future__ import annotations

import json
import secrets
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from renderer.site import DOMAIN, PRIVATE

from .fetching import Fetcher, Visitor
from .routes import MediaRoutes
from .screening import SHELF_BYTES, open_screening
from .timeline import Shelf

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.frames import FrameRate
    from renderer.site import Site
    from renderer.tools import Tools

    from .screening import Screening, Source


# In this order: each builds on those before it.
_TAKEOVER: Final = ("natives", "sources", "playing", "pictures", "elements", "page")


class MediaRoom:
    """What the renders of one renderer share: the site, the tools, and decoded pictures."""

    def __init__(self, site: Site, tools: Tools) -> None:
        self._site = site
        self._tools = tools
        self._shelf = Shelf(SHELF_BYTES)
        self._open: list[Screening] = []

    @asynccontextmanager
    async def projection(self, visitor: Visitor, first_drawn: int) -> AsyncGenerator[str]:
        """Serve the media of one page; yields the script that takes over its elements.

        Before frame `first_drawn` there are only those pictures that scripts read.
        """
        fetch = Fetcher(self._site.bundle_file, visitor)
        token = secrets.token_hex(8)
        async with open_screening(self._tools, self._shelf, fetch) as screening:
            self._open.append(screening)
            try:
                with self._site.also_serving(token, MediaRoutes(screening).answer):
                    yield _script(token, visitor.settings.frame_rate, first_drawn)
            finally:
                self._open.remove(screening)

    def source(self, source_id: str) -> Source:
        """The media file that a page which is open now knows by this name."""
        return next(found for one in self._open if (found := one.known(source_id)))


def _script(token: str, rate: FrameRate, first_drawn: int) -> str:
    options = {
        "path": f"{PRIVATE}/{token}",
        "token": token,
        "fps": [rate.numerator, rate.denominator],
        "firstDrawn": first_drawn,
        "domain": f".{DOMAIN}",
        "origin": f"http://media.{DOMAIN}",  # for pages that are not served by us
    }
    takeover = f"({_takeover()})({json.dumps(options)})"
    rest = (f"({_page_half(name, '() =>')})();" for name in ("sounds", "graphs"))
    return "\n".join([f"{takeover};", *rest])


@cache
def _takeover() -> str:
    """One function of many files: they share what they know, and the page sees none of it."""
    folder = files("renderer.media").joinpath("takeover")
    parts = (folder.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in _TAKEOVER)
    return "\n".join(("(options) => {", *parts, "}"))


@cache
def _page_half(name: str, head: str) -> str:
    text = files("renderer.media").joinpath(f"{name}.js").read_text(encoding="utf-8")
    return text[text.index(head) :].rstrip()
