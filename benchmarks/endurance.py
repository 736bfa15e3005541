"""Renders one long chunk, and looks whether memory, files or speed drift: 36,000 frames by default.

`python -m benchmarks.endurance [--frames N]` writes `results/endurance.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import psutil

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.events import FramesDone, RenderEvent
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import open_renderer
from renderer.settings import RenderSettings
from renderer.tools import find_tools

from .machine import description
from .pages import Page, Scene, write_page
from .tables import table, write_report

_LOOK_EVERY_S: Final = 5.0
_PARTS: Final = 10
_WARM_S: Final = 60.0
_MB: Final = 1 << 20
_KINDS: Final = ("python", "ffmpeg", "chrom", "renderer", "gpu-process")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at a moment."""

    at_s: float
    frames: int
    memory_mb: Mapping[str, float]  # by kind of process; what only those have
    files: int
    cpu_s: float

    @property
    def total_mb(self) -> float:
        return sum(self.memory_mb.values())


class Watch:
    """Looks at this process and its children while a chunk is rendered."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self._began_s = time.monotonic()
        self._frames = 0

    def hear(self, event: RenderEvent) -> None:
        if isinstance(event, FramesDone):
            self._frames = event.done

    async def run(self) -> None:
        while True:
            self.looks.append(await asyncio.to_thread(self._look))
            await asyncio.sleep(_LOOK_EVERY_S)

    def _look(self) -> Look:
        memory, files, cpu_s = Counter[str](), 0, 0.0
        for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                memory[_kind(process)] += process.memory_full_info().uss
                files += process.num_fds()
                times = process.cpu_times()
                cpu_s += times.user + times.system
        return Look(
            at_s=time.monotonic() - self._began_s,
            frames=self._frames,
            memory_mb={kind: size_bytes / _MB for kind, size_bytes in memory.items()},
            files=files,
            cpu_s=cpu_s,
        )


async def measure(page: Page) -> list[Look]:
    """Render the page in one chunk; return what was seen meanwhile."""
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="framefarm-endurance-") as folder:
        index = write_page(page, Path(folder, "page"))
        bundles = BundleStore(Path(folder, "bundles"))
        digest = bundles.add_folder(index.parent, manifest_of(index.parent))
        async with open_renderer(bundles, find_tools(os.environ)) as renderer:
            watching = asyncio.create_task(watch.run())
            try:
                await renderer.render(
                    BundleEntry(digest, index.name),
                    FrameRange(0, page.frames),
                    settings=RenderSettings(width_px=page.width_px, height_px=page.height_px),
                    output=Path(folder, "long.mp4"),
                    on_event=watch.hear,
                )
            finally:
                watching.cancel()
                await asyncio.wait([watching])
    return watch.looks


def parts(looks: list[Look]) -> list[tuple[Look, Look]]:
    """The run in parts of equal frames: the first and the last look of each."""
    running = [look for look in looks if look.frames]
    last = running[-1].frames
    ends = [last * part // _PARTS for part in range(_PARTS + 1)]
    at = [min(running, key=lambda look: abs(look.frames - end)) for end in ends]
    return [(one, other) for one, other in pairwise(at) if other is not one]


def report(page: Page, looks: list[Look]) -> list[str]:
    """Lines of Markdown."""
    rows = [
        (
            f"{begin.frames:,}–{end.frames:,}",
            f"{end.at_s:.0f}",
            f"{(end.frames - begin.frames) / (end.at_s - begin.at_s):.1f}",
            f"{1000 * (end.cpu_s - begin.cpu_s) / (end.frames - begin.frames):.1f}",
            f"{end.total_mb:.0f}",
            *(f"{end.memory_mb.get(kind, 0):.0f}" for kind in _KINDS),
            f"{end.files}",
        )
        for begin, end in parts(looks)
    ]
    warm = [look for look in looks if look.at_s > _WARM_S and look.frames] or looks
    files = [look.files for look in warm]
    memory = [look.total_mb for look in warm]
    heads = ("frames", "at s", "frames/s", "CPU ms a frame", "memory MB", *_KINDS, "open files")
    return [
        "# Endurance",
        "",
        f"One chunk of {page.frames:,} frames, {page.width_px}×{page.height_px}, {page.scene}.",
        "",
        *description(),
        "",
        *table(heads, rows),
        "",
        f"After a minute: {_span(memory)} MB (last {memory[-1]:.0f}), {_span(files)} open files.",
    ]


def _kind(process: psutil.Process) -> str:
    """What a process is: of Chromium's, by the flag that says so."""
    line = process.cmdline()
    types = [word.removeprefix("--type=") for word in line if word.startswith("--type=")]
    if types:
        return types[0]
    name = Path(line[0]).name if line else ""
    return next((kind for kind in ("ffmpeg", "python", "chrom") if kind in name), "others")


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=36_000)
    frames = parser.parse_args().frames
    page = Page(name="long", scene=Scene.LIGHT, width_px=320, height_px=180, frames=frames)
    adopt_orphans()
    looks = asyncio.run(measure(page))
    print(write_report("endurance", report(page, looks)))


if __name__ == "__main__":
    main()
