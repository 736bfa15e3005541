"""The steady pace of pages, and of their floor in the same run → results/frames-per-second.md.

`python -m benchmarks.frames_per_second [--sizes 720|1080|all] [--runs 3] [--frames 90]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import machine
from .drivers.ours import PAGES
from .figures import Aim, Sample, alternated, counted, paired_ratio, sample, verdict
from .pages import Page, scene_pages, write_page
from .plots import Series, bars
from .steady import Steady, steady_from
from .tables import RESULTS, table, write_report

AIM: Final = Aim(at_least=0.85)
_ROOT: Final = Path(__file__).parents[1]
_LIMIT_S: Final = 600
_INTRODUCTION: Final = """\
One renderer, one chunk of {frames} frames, H.264 `fast` crf 17; what is counted is its second half,
when the encoder works at full pace. The floor is the same page in the same run: every frame stepped
and painted without reading its pixels, while the same pictures are encoded from memory. CPU is that
of all processes. {runs} of each in alternating order; the ratio is the median of the rounds'.
Above 1 is the machine's mood, not ours. Written by `benchmarks/frames_per_second.py`."""


@dataclass(slots=True)
class Measured:
    """A page, and what each round said of it and of its floor."""

    page: Page
    renders: list[Steady] = field(default_factory=list[Steady])
    floors: list[Steady] = field(default_factory=list[Steady])

    @property
    def name(self) -> str:
        return f"{self.page.scene}, {self.page.height_px}p"

    def pace(self) -> Sample:
        return paired_ratio(_each(self.renders, _pace), _each(self.floors, _pace))

    def cpu(self) -> Sample:
        return paired_ratio(_each(self.floors, _cpu_ms), _each(self.renders, _cpu_ms))


def main() -> None:
    asked = _arguments()
    measured = [
        Measured(page)
        for page in scene_pages(asked.frames)
        if asked.sizes in ("all", str(page.height_px))
    ]
    for one in measured:
        index = write_page(one.page, PAGES / one.page.name)
        for order in alternated(["render", "floor"], asked.runs):
            for what in order:
                steady = _run(what, index, one.page)
                (one.renders if what == "render" else one.floors).append(steady)
                pace = f"{steady.frames_per_second:6.1f} frames/s"
                print(f"{one.name:22} {what:7} {pace} {steady.cpu_ms:6.1f} CPU ms", flush=True)
    _report(measured, asked.frames, asked.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", choices=["720", "1080", "all"], default="all")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--frames", type=int, default=90)
    return parser.parse_args()


def _run(what: str, index: Path, page: Page) -> Steady:
    size = [str(page.width_px), str(page.height_px), str(page.frames)]
    command = [sys.executable, "-m", "benchmarks.steady", what, str(index), *size]
    told = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=_ROOT, timeout=_LIMIT_S
    )
    return steady_from(told.stdout.splitlines()[-1])


def _report(measured: Sequence[Measured], frames: int, runs: int) -> None:
    lines = ["# Frames a second, and the floor", ""]
    lines += [
        _INTRODUCTION.format(frames=frames, runs=counted(runs, "run")),
        "",
        *machine.description(),
        "",
    ]
    lines += [*_pace_table(measured), "", *_plot(measured)]
    lines += ["## Where a frame's time goes", "", *_stages_table(measured), ""]
    lines += ["## Where the CPU time goes", "", *_kinds_table(measured)]
    print(write_report("frames-per-second", lines))


def _pace_table(measured: Sequence[Measured]) -> list[str]:
    head = ["page", "frames/s", "floor", "of the floor", "CPU ms", "floor", "of the floor, by CPU"]
    rows = [
        [
            one.name,
            sample(_each(one.renders, _pace)).text(),
            sample(_each(one.floors, _pace)).text(),
            verdict(one.pace().median, AIM),
            sample(_each(one.renders, _cpu_ms)).text(),
            sample(_each(one.floors, _cpu_ms)).text(),
            verdict(one.cpu().median, AIM),
        ]
        for one in measured
    ]
    return table(head, rows)


def _plot(measured: Sequence[Measured]) -> list[str]:
    series = [
        Series(name="framefarm", values=[sample(_each(one.renders, _cpu_ms)) for one in measured]),
        Series(name="the floor", values=[sample(_each(one.floors, _cpu_ms)) for one in measured]),
    ]
    names = [one.name.replace(", ", "\n") for one in measured]
    if not bars(RESULTS / "frames-per-second.svg", names, series, "CPU ms a frame"):
        return []
    return ["![CPU time a frame, ours and the floor](frames-per-second.svg)", ""]


def _stages_table(measured: Sequence[Measured]) -> list[str]:
    """Of the last run, in ms of wall clock; the whole chunk's, start-up not counted."""
    head = ["page", "step", "hooks", "paint", "wait", "read", "encode", "repeated", "strategy"]
    rows: list[list[str]] = []
    for one in measured:
        timings = one.renders[-1].timings
        assert timings is not None
        spent = (
            timings.step_s,
            timings.hooks_s,
            timings.paint_s,
            timings.wait_s,
            timings.read_s,
            timings.encode_s,
        )
        each = [f"{seconds / one.page.frames * 1000:.1f}" for seconds in spent]
        repeated = f"{timings.repeated_frames / one.page.frames:.0%}"
        why = f" ({timings.why})" if timings.why else ""
        rows.append([one.name, *each, repeated, timings.strategy + why])
    said = "ms a frame by the clock, of the last run; the stages are told in "
    return [f"{said}[How fast](../../docs/guides/benchmarks.md).", "", *table(head, rows)]


def _kinds_table(measured: Sequence[Measured]) -> list[str]:
    runs = [(one.name, what, steady) for one in measured for what, steady in _last(one)]
    kinds = sorted({kind for _, _, steady in runs for kind in steady.cpu_ms_by_kind})
    rows = [
        [name, what, *(f"{steady.cpu_ms_by_kind.get(kind, 0.0):.1f}" for kind in kinds)]
        for name, what, steady in runs
    ]
    said = "CPU ms a frame by kind of process, of the last run."
    return [said, "", *table(["page", "", *kinds], rows)]


def _last(one: Measured) -> list[tuple[str, Steady]]:
    return [("framefarm", one.renders[-1]), ("floor", one.floors[-1])]


def _each(steady: Sequence[Steady], of: Callable[[Steady], float]) -> list[float]:
    return [of(one) for one in steady]


def _pace(steady: Steady) -> float:
    return steady.frames_per_second


def _cpu_ms(steady: Steady) -> float:
    return steady.cpu_ms


if __name__ == "__main__":
    main()
