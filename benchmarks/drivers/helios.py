"""Helios: any page with its core library, rendered by its renderer package."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from benchmarks.pages import FPS, SOURCES, Page, Scene, write_page

from . import npm
from .base import Command

VERSION: Final = "1.78.3"
_CORE: Final = "helios-core.js"
_PACKAGES: Final = {
    "@helios-project/renderer": VERSION,
    "@helios-project/core": "5.13.2",
    "esbuild": "0.25.12",
}


class Helios:
    name = "Helios"
    version = VERSION
    unit = "worker"
    workers = (1,)

    def __init__(self) -> None:
        self._folder = npm.CACHE / f"helios-{VERSION}"

    def install(self) -> None:
        npm.install(self._folder.name, _PACKAGES)
        npm.node()
        npm.browser()

    def prepare(self, pages: tuple[Page, ...]) -> None:
        shutil.copy(SOURCES / "helios" / "render.mjs", self._folder)
        for page in pages:
            write_page(page, self._page(page), "helios", (_CORE,))

    def renders(self, page: Page) -> bool:
        return page.name in "AD"  # one of its two modes each; no hope is no reason for an hour

    def command(self, page: Page, workers: int, output: Path) -> Command:
        mode = "canvas" if page.scene is Scene.CANVAS else "dom"
        size = (str(page.width_px), str(page.height_px), str(FPS), str(page.frames))
        program = (str(npm.node()), str(self._folder / "render.mjs"))
        return Command(
            arguments=(*program, str(self._page(page) / "index.html"), str(output), mode, *size),
            folder=self._folder,
            environment={**npm.environment(), "BENCH_BROWSER": str(npm.browser())},
        )

    def _page(self, page: Page) -> Path:
        return self._folder / "pages" / page.name
