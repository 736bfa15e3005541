"""framefarm, driven as its users would: its command line, or one renderer without a farm."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.pages import FPS, SOUND, Page, write_page

from .base import Command

_ROOT = Path(__file__).parents[2]
PAGES = _ROOT / ".cache" / "bench" / "pages"


class Framefarm:
    """`framefarm render`: a coordinator and its workers, for the length of one render."""

    name = "framefarm"
    version = version("framefarm")
    workers = (2,)

    def install(self) -> None:
        pass

    def prepare(self, pages: tuple[Page, ...]) -> None:
        for page in pages:
            write_page(page, PAGES / page.name)

    def renders(self, page: Page) -> bool:
        return True

    def command(self, page: Page, workers: int, output: Path) -> Command:
        given = ("-o", str(output), "--workers", str(workers), *_options(page))
        sound = ("--audio", str(PAGES / page.name / SOUND)) if page.has_sound else ()
        return Command(
            arguments=(*_FRAMEFARM, "render", _index(page), *given, *sound, "--progress", "plain"),
            folder=_ROOT,
        )


class FramefarmAlone(Framefarm):
    """One renderer in one process, one chunk, no farm and no network."""

    name = "framefarm, no farm"
    workers = (1,)

    def renders(self, page: Page) -> bool:
        return not page.has_sound  # the farm's assembler adds it

    def command(self, page: Page, workers: int, output: Path) -> Command:
        size = (str(page.width_px), str(page.height_px), str(page.frames))
        program = (sys.executable, "-m", "benchmarks.one_chunk")
        return Command(arguments=(*program, _index(page), str(output), *size), folder=_ROOT)


_FRAMEFARM = (sys.executable, "-m", "framefarm")


def lossless(page: Page, output: Path) -> Command:
    """Render what others are compared with."""
    how = ("--crf", "0", "--preset", "ultrafast", "--workers", "1", "-q")
    arguments = (*_FRAMEFARM, "render", _index(page), "-o", str(output), *_options(page)[:-4], *how)
    return Command(arguments=arguments, folder=_ROOT)


def _index(page: Page) -> str:
    return str(PAGES / page.name / "index.html")


def _options(page: Page) -> tuple[str, ...]:
    size = ("--width", str(page.width_px), "--height", str(page.height_px))
    length = ("--frames", str(page.frames), "--fps", str(FPS))
    return (*size, *length, "--crf", "18", "--preset", "fast")
