"""Remotion: React components, rendered by its own renderer package."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from benchmarks.pages import FPS, SOUND, SOURCES, Page, facts, write_tone

from . import npm
from .base import Command

VERSION: Final = "4.0.529"
_REACT: Final = "19.2.0"
_PACKAGES: Final = {
    "@remotion/bundler": VERSION,
    "@remotion/renderer": VERSION,
    "remotion": VERSION,
    "react": _REACT,
    "react-dom": _REACT,
}


class Remotion:
    name = "Remotion"
    version = VERSION
    unit = "worker"
    workers = (1, 2)

    def __init__(self) -> None:
        self._folder = npm.CACHE / f"remotion-{VERSION}"

    def install(self) -> None:
        npm.install(self._folder.name, _PACKAGES)
        npm.node()
        npm.browser()

    def prepare(self, pages: tuple[Page, ...]) -> None:
        source = self._folder / "src"
        for folder in (source, self._folder / "public"):
            folder.mkdir(exist_ok=True)
        for name in ("index.jsx", "scene.jsx"):
            shutil.copy(SOURCES / "remotion" / name, source)
        shutil.copy(SOURCES / "remotion" / "render.mjs", self._folder)
        drawing = (SOURCES / "canvas.js").read_text(encoding="utf-8")
        (source / "canvas.js").write_text(
            f"{drawing}\nexport {{ drawShapes }};\n", encoding="utf-8"
        )
        (source / "pages.json").write_text(json.dumps([facts(page) for page in pages]))
        sounding = [page.frames / FPS for page in pages if page.has_sound]
        if sounding:
            write_tone(self._folder / "public" / SOUND, max(sounding))

    def renders(self, page: Page) -> bool:
        return True

    def command(self, page: Page, workers: int, output: Path) -> Command:
        program = (str(npm.node()), str(self._folder / "render.mjs"))
        return Command(
            arguments=(*program, page.name, str(workers), str(output)),
            folder=self._folder,
            environment={**npm.environment(), "BENCH_BROWSER": str(npm.browser())},
        )
