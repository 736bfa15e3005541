"""What a chunk costs by its length, and how large its file is → results/chunk-length.md.

`python -m benchmarks.chunk_length [--runs 3] [--lengths 15,30,60,120,240]`; one slot, 720p, in the
middle of a film: a chunk that goes on where the one before ended, and one that opens the page anew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from framefarm.benchmark import family_cpu_s
from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.keeping import WarmLimits
from renderer.processes import adopt_orphans
from renderer.renderer import Renderer, open_renderer
from renderer.settings import History, RenderSettings
from renderer.tools import find_tools

from . import machine
from .drivers.ours import PAGES
from .figures import Sample, counted, sample
from .pages import Page, Scene, write_page
from .plots import Series, lines
from .tables import RESULTS, table, write_report

_START: Final = 240
_WAYS: Final = {
    "goes on": "the page stands where the chunk before it ended",
    "jumped to": "a new page in a warm browser; time jumps to the first frame",
    "played to": f"a new page in a warm browser; the {_START} frames before are played",
}
_INTRODUCTION: Final = """\
One slot with a warm browser, 1280×720, H.264 `fast` crf 17; chunks that begin at frame {start}.
CPU is that of all processes, of the whole chunk; {runs}, the median, and the range. What a
chunk costs besides its frames is found by a straight line through all lengths: its value at no
frame at all. Written by `benchmarks/chunk_length.py`."""


@dataclass(slots=True)
class Measured:
    """A page and a way to its chunks; for each length, what each run took."""

    page: Page
    way: str
    cpu_s: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    wall_s: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    size_bytes: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def name(self) -> str:
        return f"{self.page.scene}, {self.way}"

    def fixed_and_per_frame_s(self) -> tuple[float, float]:
        """CPU seconds of a chunk of no frames, and of each frame: the line of least squares."""
        return line_through([(length, sample(cpu).median) for length, cpu in self.cpu_s.items()])


def line_through(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Where the line of least squares begins, and how steep it is.

    Raises:
        ValueError: there are not two different points.

    """
    count = len(points)
    mean_x = sum(x for x, _ in points) / max(count, 1)
    mean_y = sum(y for _, y in points) / max(count, 1)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        raise ValueError(f"a line needs two different points, got {list(points)}")
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return mean_y - slope * mean_x, slope


async def main() -> None:
    asked = _arguments()
    adopt_orphans()
    lengths = [int(length) for length in asked.lengths.split(",")]
    measured: list[Measured] = []
    for scene in (Scene.MOVING, Scene.STILL, Scene.CANVAS):
        page = Page(name=f"length-{scene.name.lower()}", scene=scene, width_px=1280, height_px=720)
        measured += await _measure(page, lengths, asked.runs)
    await asyncio.to_thread(_report, measured, lengths, asked.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lengths", default="15,30,60,120,240")
    return parser.parse_args()


async def _measure(page: Page, lengths: Sequence[int], runs: int) -> list[Measured]:
    index = write_page(page, PAGES / page.name)
    ways = [Measured(page, way) for way in _WAYS]
    with tempfile.TemporaryDirectory() as folder:
        bundles = BundleStore(Path(folder, "bundles"))
        entry = BundleEntry(bundles.add_folder(index.parent, manifest_of(index.parent)), index.name)
        warm = WarmLimits(browsers=1)
        async with open_renderer(bundles, find_tools(os.environ), limits=warm) as renderer:
            bench = _Bench(renderer, entry, Path(folder, "chunk.mp4"))
            for turn in range(runs):
                for length in lengths:
                    for one in ways:
                        await bench.run(one, length, turn)
                        cpu_s, wall_s = one.cpu_s[length][-1], one.wall_s[length][-1]
                        print(f"{one.name:28} {length:4} frames {cpu_s:6.2f} CPU s {wall_s:6.2f} s")
    return ways


@dataclass(frozen=True, slots=True)
class _Bench:
    renderer: Renderer
    page: BundleEntry
    output: Path

    async def run(self, one: Measured, length: int, turn: int) -> None:
        frames = FrameRange(_START, _START + length)
        series = f"{one.way}-{length}-{turn}" if one.way == "goes on" else ""
        if series:
            await self._render(FrameRange(_START - 2, _START), History.SEEKABLE, series)
        history = History.STATEFUL if one.way == "played to" else History.SEEKABLE
        began_s = family_cpu_s()
        wall_s = await self._render(frames, history, series)
        one.cpu_s.setdefault(length, []).append(family_cpu_s() - began_s)
        one.wall_s.setdefault(length, []).append(wall_s)
        one.size_bytes[length] = self.output.stat().st_size

    async def _render(self, frames: FrameRange, history: History, series: str) -> float:
        chunk = await self.renderer.render(
            self.page,
            frames,
            settings=RenderSettings(width_px=1280, height_px=720, history=history),
            output=self.output,
            on_event=lambda _: None,
            has_successor=True,
            series=series,
        )
        return chunk.seconds


def _report(measured: Sequence[Measured], lengths: Sequence[int], runs: int) -> None:
    text = ["# What a chunk costs by its length", ""]
    text += [_INTRODUCTION.format(start=_START, runs=counted(runs, "run")), ""]
    text += [f"- *{way}*: {meaning}" for way, meaning in _WAYS.items()]
    text += ["", *machine.description(), "", "## CPU ms a frame", ""]
    text += [*_cpu_table(measured, lengths), "", *_plot(measured, lengths)]
    text += ["## What that is besides the frames", "", *_fixed_table(measured), ""]
    text += ["## How large files are", "", *_size_table(measured, lengths)]
    print(write_report("chunk-length", text))


def _cpu_ms(one: Measured, length: int) -> Sample:
    return sample([cpu_s / length * 1000 for cpu_s in one.cpu_s[length]])


def _cpu_table(measured: Sequence[Measured], lengths: Sequence[int]) -> list[str]:
    rows = [[one.name, *(_cpu_ms(one, length).text(0) for length in lengths)] for one in measured]
    return table(["page", *(f"{length} frames" for length in lengths)], rows)


def _plot(measured: Sequence[Measured], lengths: Sequence[int]) -> list[str]:
    series = [
        Series(name=one.name, values=[_cpu_ms(one, length) for length in lengths])
        for one in measured
    ]
    axis = "frames a chunk"
    if not lines(RESULTS / "chunk-length.svg", lengths, series, "CPU ms a frame", axis):
        return []
    return ["![CPU time a frame, by the length of a chunk](chunk-length.svg)", ""]


def _fixed_table(measured: Sequence[Measured]) -> list[str]:
    head = ["page", "CPU s a chunk", "CPU ms a frame", "frames at which the chunk is a tenth"]
    rows: list[list[str]] = []
    for one in measured:
        fixed_s, frame_s = one.fixed_and_per_frame_s()
        tenth = f"{9 * fixed_s / frame_s:.0f}" if fixed_s > 0 else "–"
        rows.append([one.name, f"{fixed_s:.2f}", f"{frame_s * 1000:.1f}", tenth])
    return table(head, rows)


def _size_table(measured: Sequence[Measured], lengths: Sequence[int]) -> list[str]:
    """Each chunk begins with a key frame; there is one in sixty frames anyway."""
    played = [one for one in measured if one.way == "played to"]
    rows = [
        [one.page.scene, *(f"{one.size_bytes[length] / length / 1000:.1f}" for length in lengths)]
        for one in played
    ]
    return ["kB a frame.", "", *table(["page", *(f"{length} frames" for length in lengths)], rows)]


if __name__ == "__main__":
    asyncio.run(main())
