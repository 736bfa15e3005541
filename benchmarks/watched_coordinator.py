"""A coordinator that watches itself: how late its event loop is, its CPU and its memory.

`python -m benchmarks.watched_coordinator RESULT.json --data-dir DIR --workers A,B,… [--profile P]`
serves until its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from coordinator.process import run
from coordinator.settings import CoordinatorSettings
from serving.logs import LogFormat, configure_logging

_BEAT_S: Final = 0.01
_LOOK_S: Final = 0.5


def main() -> None:
    asked = _arguments()
    configure_logging(LogFormat.PLAIN, logging.WARNING)
    settings = CoordinatorSettings(
        listen="127.0.0.1:0",
        workers=tuple(asked.workers.split(",")),
        data_dir=asked.data_dir,
        running_jobs=asked.running_jobs,
        until_stdin_closes=True,
    )
    profile = cProfile.Profile()
    if asked.profile:
        profile.enable()
    asyncio.run(_watched(settings, asked.result))
    if asked.profile:
        profile.disable()
        profile.dump_stats(asked.profile)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--workers", required=True)
    parser.add_argument("--running-jobs", type=int, default=8)
    parser.add_argument("--profile")
    return parser.parse_args()


async def _watched(settings: CoordinatorSettings, result: Path) -> None:
    late_s: list[float] = []
    memory: list[int] = []
    async with asyncio.TaskGroup() as group:
        watches = [group.create_task(_beat(late_s)), group.create_task(_look(memory))]
        await run(settings)
        for each in watches:
            each.cancel()
    late_s.sort()
    facts = {
        "late_ms_p50": _part(late_s, 0.5),
        "late_ms_p99": _part(late_s, 0.99),
        "late_ms_max": _part(late_s, 1.0),
        "rss_mb_first": memory[0] >> 20,
        "rss_mb_max": max(memory) >> 20,
        "cpu_s": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
        "children_cpu_s": sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
    }
    result.write_text(json.dumps(facts))


async def _beat(late_s: list[float]) -> None:
    """How much later than asked for a timer of the loop comes."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + _BEAT_S
        await asyncio.sleep(_BEAT_S)
        late_s.append(loop.time() - due_s)


async def _look(memory: list[int]) -> None:
    process = psutil.Process(os.getpid())
    while True:
        memory.append(process.memory_info().rss)
        await asyncio.sleep(_LOOK_S)


def _part(values: list[float], part: float) -> float:
    return round(1000 * values[min(len(values) - 1, int(part * len(values)))], 1)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
