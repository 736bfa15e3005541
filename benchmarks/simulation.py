"""Thousands of workers, and worlds of faults, on virtual time → results/simulation.md.

`python -m benchmarks.simulation [--seeds 200] [--workers 10000]`
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter
from random import Random
from typing import Final

from tests.simulation.run import Report, run
from tests.simulation.scale import Farm, Figures, Flow

from . import machine, simulated_runs
from .tables import table, write_report

_CHUNKS_EACH: Final = 10
_INTRODUCTION: Final = """\
The farm's own code on virtual time (`tests/simulation`, [decision 0034]\
(../../docs/decisions/0034-the-farm-in-simulated-worlds.md)). Seconds are virtual but for CPU time;
what is counted is the same on every machine. Written by `benchmarks/simulation.py`."""

_BY_SIZE: Final = """\
Ten jobs of four users, workers of three speeds, 1 % of the attempts lost on their way. Slot use is
taken while chunks wait; the columns after it are for each chunk."""
_SLOW: Final = """\
Chunks of 100 frames, 10 s on seven of the workers; ideal is all frames by all speeds, as if chunks
had no end. Five chunks a worker are few: the last round alone is a tenth."""


def main() -> None:
    logging.disable(logging.CRITICAL)
    asked = _arguments()
    sizes = [size for size in (100, 1_000, 10_000) if size <= asked.workers]
    lines = ["# Simulation", "", _INTRODUCTION, "", *machine.description(), ""]
    lines += [*_scale(sizes), *_slow_worker(), *simulated_runs.section()]
    lines += _worlds(asked.seeds)
    print(write_report("simulation", lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=10_000)
    return parser.parse_args()


def _scale(sizes: list[int]) -> list[str]:
    """How busy a farm is, and what a chunk costs, by the farm's size."""
    rows = [_scale_row(size) for size in sizes]
    head = ["workers", "chunks", "slot use", "heap pushes", "heap pops", "jobs looked at"]
    head += ["events", "commands", "CPU ms"]
    return [
        "## By the farm's size",
        "",
        _BY_SIZE,
        "",
        *table(head, rows),
        "",
    ]


def _scale_row(workers: int) -> list[str]:
    draw, chunks = Random(5), workers * _CHUNKS_EACH
    speeds = [draw.choice((0.08, 0.1, 0.12)) for _ in range(workers)]
    began_s = time.process_time()
    figures = Flow(Farm(speeds=speeds, chunks=chunks, lost=0.01)).run()
    cpu_ms = 1000 * (time.process_time() - began_s) / chunks
    names = ("heappush", "heappop", "views", "events", "commands")
    counts = [f"{figures.operations[name] / chunks:.2f}" for name in names]
    use = f"{100 * figures.slot_use(workers):.1f} %"
    return [f"{workers:,}", f"{chunks:,}", use, *counts, f"{cpu_ms:.3f}"]


def _slow_worker() -> list[str]:
    """Seven workers and one that is four times slower."""
    speeds = [0.1] * 7 + [0.4]
    rows: list[list[str]] = []
    for chunks in (40, 80, 160, 320):
        figures: Figures = Flow(Farm(speeds=speeds, chunks=chunks, jobs=1)).run()
        ideal_s = chunks * 100 / sum(1 / speed for speed in speeds)
        ratio = figures.makespan_s / ideal_s
        seconds = [f"{figures.makespan_s:.1f} s", f"{ideal_s:.1f} s", f"{ratio:.2f}"]
        rows.append([str(chunks), *seconds, str(figures.started - chunks)])
    return [
        "## One worker of eight is four times slower",
        "",
        _SLOW,
        "",
        *table(["chunks", "makespan", "ideal", "ratio", "second attempts"], rows),
        "",
    ]


def _worlds(seeds: int) -> list[str]:
    """The worlds of faults."""
    began_s = time.process_time()
    reports = [run(seed) for seed in range(seeds)]
    each_ms = 1000 * (time.process_time() - began_s) / seeds
    faults, ends = Counter[str](), Counter[str]()
    for report in reports:
        faults.update(fault.point.partition(":")[0] for fault in report.script.faults)
        ends.update(end.value for end in report.ends.values())
    failed = [report.seed for report in reports if report.fault is not None]
    return [
        f"## {seeds} worlds of faults",
        "",
        f"{sum(ends.values())} jobs: {_counted(ends)}.",
        f"Worlds that broke a rule: {failed or 'none'}.",
        f"{_mean(reports)} {each_ms:.0f} ms of CPU time a world.",
        "",
        *table(["fault", "times"], [[kind, str(times)] for kind, times in faults.most_common()]),
    ]


def _mean(reports: list[Report]) -> str:
    seconds = sum(report.virtual_s for report in reports) / len(reports)
    steps = sum(report.steps for report in reports) / len(reports)
    return f"On average {seconds:.0f} virtual seconds, {steps:,.0f} steps of the event loop,"


def _counted(ends: Counter[str]) -> str:
    return ", ".join(f"{count} {end}" for end, count in ends.most_common())


if __name__ == "__main__":
    main()
