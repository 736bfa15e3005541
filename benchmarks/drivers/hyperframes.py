"""HyperFrames: a page with a paused GSAP timeline, rendered by its command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from benchmarks.pages import FPS, Page, write_page

from . import npm
from .base import Command

VERSION: Final = "0.8.170"
_GSAP: Final = "gsap.min.js"
_PACKAGES: Final = {"hyperframes": VERSION, "gsap": "3.13.0"}


class HyperFrames:
    name = "HyperFrames"
    version = VERSION
    unit = "worker"
    workers = (1, 2)

    def __init__(self) -> None:
        self._folder = npm.CACHE / f"hyperframes-{VERSION}"

    def install(self) -> None:
        npm.install(self._folder.name, _PACKAGES)
        npm.node()
        npm.browser()

    def prepare(self, pages: tuple[Page, ...]) -> None:
        for page in pages:
            folder = self._page(page)
            write_page(page, folder, "hyperframes", (_GSAP,))
            shutil.copy(self._folder / "node_modules" / "gsap" / "dist" / _GSAP, folder)
            (folder / "meta.json").write_text(json.dumps({"id": page.name, "name": page.name}))

    def renders(self, page: Page) -> bool:
        return True

    def command(self, page: Page, workers: int, output: Path) -> Command:
        program = self._folder / "node_modules" / "hyperframes" / "bin" / "hyperframes.mjs"
        what = ("render", str(self._page(page)), "-o", str(output))
        how = ("-w", str(workers), "-f", str(FPS), "--crf", "18")
        browser = str(npm.browser())
        return Command(
            arguments=(str(npm.node()), str(program), *what, *how),
            folder=self._folder,
            environment={
                **npm.environment(),
                "HYPERFRAMES_TELEMETRY": "0",
                "PRODUCER_HEADLESS_SHELL_PATH": browser,
                "HYPERFRAMES_BROWSER_PATH": browser,
            },
        )

    def _page(self, page: Page) -> Path:
        return self._folder / "pages" / page.name
