"""What a farm costs beside what it renders → results/overhead.md.

`python -m benchmarks.overhead [--frames 1800] [--chunks 300]`
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from coordinator.job import JobSpec
from coordinator.planner import plan
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from renderer.settings import RenderSettings

from . import machine
from .overhead_canned import chunk_cost, lateness_s, makespan_ratio
from .overhead_real import LIGHT, Subject, abort_s, farm, plain
from .pages import PEER_PAGES, write_page
from .tables import table, write_report

Row = tuple[str, str, str]  # what, seen, wanted

_PLANNED: Final = 1_000_000
_INTRODUCTION: Final = """\
Real browsers for the first four rows and the last; for the others, workers that render nothing
(`tests/support/canned_workers.py`) over real gRPC, a process of their own. CPU of a coordinator is
what the kernel counts for it. Written by `benchmarks/overhead.py`.

- *Farm beside renderers*: {frames} frames of a page that can be jumped in; a farm of two local
  workers from `CreateJob` to the last event (planning, joining and checking included), over two
  plain `Renderer` processes with half of the frames each. Browsers stand before both. *Page A* is
  one that peers are raced on (DOM, 200 moving elements, 1280×720), the *light page* one of 10 CPU
  ms a frame (640×360), where all that is not painting and encoding weighs most.
- *Progress*: from the moment a frame is made to that at which a watcher hears of it.
- *Makespan*: one worker four times slower than seven others, over what an ideal cut would take."""

_REST: Final = """\
What a farm costs more than two renderers, on these pages: sixteen encoders are started where two
are, 70 ms of CPU each (55 of them for linking ffmpeg's libraries); where a chunk's predecessor is
another worker's, as it is for about four of sixteen, a frame is painted twice, for the seam, and
three on the way; progress is kept twelve times a second; chunks are joined and the file is probed.
Fewer chunks would cost less here, and larger farms their balance (docs/decisions/0003, 0042,
0050)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1800)
    parser.add_argument("--chunks", type=int, default=300)
    asyncio.run(_measure(parser.parse_args()))


async def _measure(asked: argparse.Namespace) -> None:
    rows: list[list[str]] = []
    for measure in (
        partial(_beside_renderers, asked.frames),
        partial(_coordinator, asked.chunks),
        _progress,
        _planning,
        _makespan,
        _abort,
    ):
        for what, seen, wanted in await measure():
            rows.append([what, seen, wanted])
            print(f"{what}: {seen} (wanted: {wanted})", flush=True)
    text = _INTRODUCTION.format(frames=asked.frames)
    lines = ["# Overhead", "", text, "", *machine.description(), ""]
    lines += [*table(["what", "seen", "wanted"], rows), "", *_REST.splitlines()]
    print(write_report("overhead", lines))


async def _beside_renderers(frames: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        page = replace(PEER_PAGES[0], frames=frames)
        usual = Subject(write_page(page, Path(folder)), (page.width_px, page.height_px))
        rows = await _beside_renderers_on("page A", usual, frames)
    return rows + await _beside_renderers_on("light page", LIGHT, frames)


async def _beside_renderers_on(name: str, subject: Subject, frames: int) -> list[Row]:
    alone, ours = await plain(subject, frames), await farm(subject, frames)
    wall = f"{ours.wall_s:.1f} / {alone.wall_s:.1f} s = {ours.wall_s / alone.wall_s:.3f}"
    cpu = f"{ours.cpu_s:.1f} / {alone.cpu_s:.1f} s = {ours.cpu_s / alone.cpu_s:.3f}"
    return [
        (f"farm beside renderers, {name}, time", wall, "≤ 1.03"),
        (f"farm beside renderers, {name}, CPU", cpu, ""),
    ]


async def _coordinator(chunks: int) -> list[Row]:
    cost = await chunk_cost(chunks)
    while_part = f"{cost.while_part:.1%} of a core"
    return [
        ("coordinator's CPU for a chunk", f"{cost.chunk_ms:.1f} ms", "≤ 5 ms"),
        ("and beside that, while 16 workers tell progress", while_part, ""),
        ("both together, by the chunks of a run of short ones", f"{cost.all_ms:.1f} ms", ""),
        ("tools that it starts, for a chunk", f"{cost.tools_ms:.0f} ms CPU", ""),
    ]


async def _progress() -> list[Row]:
    late_s = await lateness_s(64, chunks=128, frames=150)
    parts = [1000 * late_s[int(part * (len(late_s) - 1))] for part in (0.5, 0.99, 1)]
    seen = ", ".join(f"{part:.0f}" for part in parts) + " ms"
    return [("progress to a watcher, 64 workers: median, p99, at most", seen, "p99 ≤ 200 ms")]


async def _planning() -> list[Row]:
    what = f"planning {_PLANNED:,} frames"
    return [
        (what, f"{_planning_s(None):.3f} s CPU", "≤ 1 s"),
        (f"{what}, 30 a chunk", f"{_planning_s(30):.3f} s CPU", "≤ 1 s"),
    ]


async def _makespan() -> list[Row]:
    return [("makespan", f"{await makespan_ratio():.3f}", "≤ 1.15")]


async def _abort() -> list[Row]:
    gone_s = await abort_s(5)
    seen = f"{gone_s[2]:.2f}, {gone_s[-1]:.2f} s"
    return [("abort to the last process gone, of 5: median, at most", seen, "≤ 1 s")]


def _planning_s(chunk_frames: int | None) -> float:
    spec = JobSpec(
        composition=PageUrl("http://127.0.0.1:1/"),
        settings=RenderSettings(),
        frames=FrameRange(0, _PLANNED),
        chunk_frames=chunk_frames,
    )
    began_s = time.process_time()
    plan("job", spec)
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
