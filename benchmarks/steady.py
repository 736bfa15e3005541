"""One renderer at its steady pace: `render`, or the `floor` of the same page. Prints JSON.

`python -m benchmarks.steady WHAT INDEX WIDTH HEIGHT FRAMES`; the first half of the frames warms up:
the encoder looks some forty frames ahead before it works.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.events import FramesDone, RenderEvent
from renderer.frames import FrameRange
from renderer.processes import adopt_orphans
from renderer.renderer import Renderer, open_renderer
from renderer.settings import RenderSettings
from renderer.timings import Timings
from renderer.tools import find_tools

from .process_tree import kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """What a frame took in the second half; `timings` are those of the whole chunk."""

    frames_per_second: float
    cpu_ms_by_kind: dict[str, float]
    timings: Timings | None = None

    @property
    def cpu_ms(self) -> float:
        return sum(self.cpu_ms_by_kind.values())


def steady_from(text: str) -> Steady:
    told = json.loads(text)
    timings = told.pop("timings")
    return Steady(**told, timings=Timings(**timings) if timings else None)


async def measure(what: str, index: Path, settings: RenderSettings, frames: FrameRange) -> Steady:
    window = _Window(len(frames) // 2, len(frames))
    with tempfile.TemporaryDirectory() as folder:
        bundles = BundleStore(Path(folder, "bundles"))
        digest = bundles.add_folder(index.parent, manifest_of(index.parent))
        page = BundleEntry(digest, index.name)
        async with open_renderer(bundles, find_tools(os.environ)) as renderer:
            if what == "floor":
                timings = None
                await renderer.floor(
                    page, frames, settings=settings, scratch=Path(folder), on_event=window.hear
                )
            else:
                output = Path(folder, "chunk.mp4")
                timings = await _render(renderer, page, frames, settings, output, window)
    return window.steady(timings)


async def _render(  # noqa: PLR0913  # a chunk is what these say
    renderer: Renderer,
    page: BundleEntry,
    frames: FrameRange,
    settings: RenderSettings,
    output: Path,
    window: _Window,
) -> Timings:
    chunk = await renderer.render(
        page, frames, settings=settings, output=output, on_event=window.hear
    )
    return chunk.timings


class _Window:
    """The time and the CPU time from one frame to another."""

    def __init__(self, begin: int, end: int) -> None:
        self._ends = begin, end
        self._marks: list[tuple[float, dict[str, float]]] = []

    def hear(self, event: RenderEvent) -> None:
        if isinstance(event, FramesDone) and event.done in self._ends:
            self._marks.append((time.perf_counter(), _cpu_s_by_kind()))

    def steady(self, timings: Timings | None) -> Steady:
        (began_s, before), (ended_s, after) = self._marks
        frames = self._ends[1] - self._ends[0]
        return Steady(
            frames_per_second=frames / (ended_s - began_s),
            cpu_ms_by_kind={
                kind: (cpu_s - before.get(kind, 0.0)) / frames * 1000
                for kind, cpu_s in after.items()
            },
            timings=timings,
        )


def _cpu_s_by_kind() -> dict[str, float]:
    sums: dict[str, float] = {}
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            kind = kind_of(process.cmdline())
            sums[kind] = sums.get(kind, 0.0) + times.user + times.system
    return sums


def main() -> None:
    what, index = sys.argv[1], Path(sys.argv[2])
    width_px, height_px, frames = map(int, sys.argv[3:6])
    settings = RenderSettings(width_px=width_px, height_px=height_px)
    adopt_orphans()
    steady = asyncio.run(measure(what, index, settings, FrameRange(0, frames)))
    print(json.dumps(asdict(steady)))


if __name__ == "__main__":
    main()
