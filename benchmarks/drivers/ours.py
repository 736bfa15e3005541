"""framefarm, driven as its users would: its command line, or one renderer without a farm."""

from __future__ import annotations

import compileall
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.pages import FPS, SOUND, Page, write_page

from .base import Command

_ROOT = Path(__file__).parents[2]
_PACKAGES = (
    "benchmarks",
    "coordinator",
    "executors",
    "framefarm",
    "protos",
    "renderer",
    "serving",
    "worker",
)
# pip compiles what it installs, and npm's packages come built: so is ours, although it runs from
# its sources, where somebody's environment may forbid Python to keep what it has compiled.
_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
PAGES = _ROOT / ".cache" / "bench" / "pages"


class Framefarm:
    """`framefarm render` as it comes: one process, a slot for two cores in so short a video."""

    name = "framefarm"
    version = version("framefarm")
    unit = "slot"
    workers = (1,)

    def install(self) -> None:
        for package in _PACKAGES:
            compileall.compile_dir(_ROOT / package, quiet=1)

    def prepare(self, pages: tuple[Page, ...]) -> None:
        for page in pages:
            write_page(page, PAGES / page.name)

    def renders(self, page: Page) -> bool:
        return True

    def command(self, page: Page, workers: int, output: Path) -> Command:
        given = ("-o", str(output), *self._fleet(workers), *_options(page))
        sound = ("--audio", str(PAGES / page.name / SOUND)) if page.has_sound else ()
        return Command(
            arguments=(*_FRAMEFARM, "render", _index(page), *given, *sound, "--progress", "plain"),
            folder=_ROOT,
            environment=_COMPILED,
        )

    def _fleet(self, workers: int) -> tuple[str, ...]:
        return ()


class FramefarmFarm(Framefarm):
    """The same on a farm: a coordinator and two workers as processes, for one render."""

    name = "framefarm, farm"
    unit = "worker"

    def _fleet(self, workers: int) -> tuple[str, ...]:
        return ("--workers", str(workers))


class FramefarmAlone(Framefarm):
    """One renderer in one process, one chunk, no farm and no network."""

    name = "framefarm, renderer alone"
    workers = (1,)

    def renders(self, page: Page) -> bool:
        return not page.has_sound  # the farm's assembler adds it

    def command(self, page: Page, workers: int, output: Path) -> Command:
        size = (str(page.width_px), str(page.height_px), str(page.frames))
        program = (sys.executable, "-m", "benchmarks.one_chunk")
        arguments = (*program, _index(page), str(output), *size)
        return Command(arguments=arguments, folder=_ROOT, environment=_COMPILED)


_FRAMEFARM = (sys.executable, "-m", "framefarm")


def lossless(page: Page, output: Path) -> Command:
    """Render what others are compared with."""
    how = ("--crf", "0", "--preset", "ultrafast", "-q")
    arguments = (*_FRAMEFARM, "render", _index(page), "-o", str(output), *_options(page)[:-4], *how)
    return Command(arguments=arguments, folder=_ROOT)


def _index(page: Page) -> str:
    return str(PAGES / page.name / "index.html")


def _options(page: Page) -> tuple[str, ...]:
    size = ("--width", str(page.width_px), "--height", str(page.height_px))
    length = ("--frames", str(page.frames), "--fps", str(FPS))
    return (*size, *length, "--crf", "18", "--preset", "fast")
