"""Test pages as bundles, and a crew that films them with real Chromium and ffmpeg."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry, Composition
from renderer.errors import MissingToolError
from renderer.events import FramesDone, PageLog, RenderEvent
from renderer.frames import FrameRange
from renderer.renderer import RenderedChunk, Renderer, open_renderer
from renderer.settings import RenderSettings
from renderer.tools import Tools, find_tools

from .frame_numbers import Plane, decode_frame_numbers, decoded_yuv, frame_digests
from .require import missing

PAGES = Path(__file__).parents[1] / "e2e" / "pages"
WIDTH_PX, HEIGHT_PX = 480, 270
LOSSLESS: dict[str, Any] = {"crf": 0}


def page_settings(**changes: Any) -> RenderSettings:
    """Small and quick; what is given replaces."""
    small: dict[str, Any] = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "preset": "ultrafast"}
    return RenderSettings(**(small | changes))


def add_page(store: BundleStore, page: str) -> BundleEntry:
    """A page of tests/e2e/pages, with all of its neighbours."""
    return BundleEntry(store.add_folder(PAGES, manifest_of(PAGES)), page)


def add_files(store: BundleStore, files: Mapping[str, str | bytes]) -> BundleEntry:
    """A bundle of these files, opened at its index.html."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return BundleEntry(store.add_folder(Path(folder), manifest_of(Path(folder))))


def tools_or_skip() -> Tools:
    try:
        return find_tools(os.environ)
    except MissingToolError as error:
        missing("chromium", str(error))


@dataclass
class Film:
    """A chunk that was rendered, and what was said on the way."""

    path: Path
    chunk: RenderedChunk
    events: list[RenderEvent]

    @property
    def numbers(self) -> list[int]:
        return decode_frame_numbers(self.path)

    @property
    def pictures(self) -> list[str]:
        return frame_digests(self.path)

    @property
    def planes(self) -> list[tuple[Plane, Plane, Plane]]:
        return decoded_yuv(self.path)

    @property
    def progress(self) -> list[int]:
        return [event.done for event in self.events if isinstance(event, FramesDone)]

    @property
    def console(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, PageLog)]


@dataclass
class Crew:
    """A renderer, a store for its bundles and a folder for its films."""

    renderer: Renderer
    store: BundleStore
    folder: Path
    events: list[RenderEvent] = field(default_factory=list)
    _films: int = 0

    async def film(
        self, page: str | Composition, frames: tuple[int, int] = (0, 3), **settings: Any
    ) -> Film:
        """Film a page of tests/e2e/pages, or any composition."""
        composition = add_page(self.store, page) if isinstance(page, str) else page
        self._films += 1
        output = self.folder / f"{self._films}.mp4"
        self.events = events = list[RenderEvent]()
        chunk = await self.renderer.render(
            composition,
            FrameRange(*frames),
            settings=page_settings(**settings),
            output=output,
            on_event=events.append,
        )
        return Film(output, chunk, events)

    async def film_html(self, html: str, frames: tuple[int, int] = (0, 3), **settings: Any) -> Film:
        """Film a page that stands in the test itself."""
        return await self.film_files(
            {"index.html": f"<!doctype html><body>{html}"}, frames, **settings
        )

    async def film_files(
        self, files: Mapping[str, str | bytes], frames: tuple[int, int], **settings: Any
    ) -> Film:
        return await self.film(add_files(self.store, files), frames, **settings)


@asynccontextmanager
async def open_crew(
    folder: Path, *, tools: Tools | None = None, **options: Any
) -> AsyncGenerator[Crew]:
    """A crew whose renderer is opened with `options`."""
    store = BundleStore(folder / "store")
    films = folder / "films"
    films.mkdir()
    async with open_renderer(store, tools or tools_or_skip(), **options) as renderer:
        yield Crew(renderer, store, films)
