"""Frames a second with 1 to n slots, by `framefarm benchmark` → results/scaling.md.

`python -m benchmarks.scaling [--runs 3] [--slots N] [--frames 90]`
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from framefarm.benchmark import default_slots

from . import machine
from .drivers.ours import PAGES
from .figures import Sample, counted, sample
from .pages import Page, Scene, write_page
from .plots import Series, lines
from .tables import RESULTS, table, write_report

_ROOT: Final = Path(__file__).parents[1]
_LIMIT_S: Final = 900
_INTRODUCTION: Final = """\
Slots of one worker, a browser each, that render the same {frames} frames at 1280×720 at once: the
pace while all of them are at work, start-up not counted; H.264 `fast` crf 17, two encoder threads
each. {runs}, the median, and the range. Written by `benchmarks/scaling.py`, from what
`framefarm benchmark --json` says."""


@dataclass(slots=True)
class Measured:
    """A page, and what each run of `framefarm benchmark` said of it."""

    page: Page
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def each(self, slots: int, what: str) -> Sample:
        return sample([float(run["slots"][slots - 1][what]) for run in self.runs])

    def times(self, slots: int) -> Sample:
        """How many times the frames of one slot, run by run."""
        paces = [[row["frames_per_second"] for row in run["slots"]] for run in self.runs]
        return sample([pace[slots - 1] / pace[0] for pace in paces])


def main() -> None:
    asked = _arguments()
    measured = [
        Measured(
            Page(name=f"scale-{scene.name.lower()}", scene=scene, width_px=1280, height_px=720)
        )
        for scene in (Scene.MOVING, Scene.STILL, Scene.CANVAS)
    ]
    for turn in range(asked.runs):
        for one in measured:
            one.runs.append(_benchmark(one.page, asked.slots, asked.frames))
            paces = ", ".join(f"{row['frames_per_second']:.1f}" for row in one.runs[-1]["slots"])
            print(f"run {turn + 1}: {one.page.scene}: {paces} frames/s", flush=True)
    _report(measured, asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slots", type=int, default=default_slots())
    parser.add_argument("--frames", type=int, default=90)
    return parser.parse_args()


def _benchmark(page: Page, slots: int, frames: int) -> dict[str, Any]:
    index = write_page(page, PAGES / page.name)
    size = ["--width", str(page.width_px), "--height", str(page.height_px)]
    how = ["--frames", str(frames), "--slots", str(slots), "--json", "--quiet"]
    command = [sys.executable, "-m", "framefarm", "benchmark", str(index), *size, *how]
    told = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=_ROOT, timeout=_LIMIT_S
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def _report(measured: Sequence[Measured], asked: argparse.Namespace) -> None:
    text = [
        "# Slots",
        "",
        _INTRODUCTION.format(frames=asked.frames, runs=counted(asked.runs, "run")),
        "",
    ]
    text += [*machine.description(), ""]
    counts = range(1, asked.slots + 1)
    head = ["page", "slots", "frames/s", "times one slot", "CPU ms a frame"]
    rows = [
        [
            one.page.scene,
            str(slots),
            one.each(slots, "frames_per_second").text(),
            one.times(slots).text(2),
            one.each(slots, "cpu_ms_per_frame").text(),
        ]
        for one in measured
        for slots in counts
    ]
    text += [*table(head, rows), ""]
    series = [
        Series(
            name=one.page.scene, values=[one.each(slots, "frames_per_second") for slots in counts]
        )
        for one in measured
    ]
    if lines(RESULTS / "scaling.svg", list(counts), series, "frames/s", "slots"):
        text += ["![Frames a second by slots](scaling.svg)", ""]
    print(write_report("scaling", text[:-1]))


if __name__ == "__main__":
    main()
