"""One coordinator before too many of everything → results/overload.md.

`python -m benchmarks.overload [--workers 1000] [--jobs 800] [--watchers 300] [--seconds 80]`
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from coordinator.job import Job
from framefarm.client import FarmClient
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1.coordinator_pb2_grpc import RenderCoordinatorStub
from serving.channel import open_channel

from . import machine
from .canned_farm import CannedFarm, canned_farm
from .tables import table, write_report

_CHUNK_FRAMES: Final = 20
_FRAME_S: Final = (0.8, 0.9, 1.0, 1.1, 1.2)  # by job, in turn: chunks do not end all at once
_CHUNKS: Final = 16  # of each job, as the planner cuts it
_AT_ONCE: Final = 16
_QUARTERS: Final = 4
_INTRODUCTION: Final = """\
{workers} workers that render nothing, over real gRPC in one process: a chunk is {chunk} frames of
about a second, told one by one. Before them one coordinator, as users start it but for
`--running-jobs {running}`. User a brings {jobs} jobs of {chunks} chunks, then user b a quarter
as many. {watchers} calls watch jobs, every sixth of them never reads. Written by
`benchmarks/overload.py`; the coordinator watches itself (`watched_coordinator.py`)."""


@dataclass
class Load:
    """What came of it."""

    users: dict[str, str] = field(default_factory=dict)  # by job
    created_s: float = 0.0
    began_s: float = 0.0
    heard: int = 0  # events, by all watchers
    asked_ms: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=800)
    parser.add_argument("--watchers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=80.0)
    parser.add_argument("--running-jobs", type=int, default=160)
    asyncio.run(_measure(parser.parse_args()))


async def _measure(asked: argparse.Namespace) -> None:
    load = Load()
    words = ["--running-jobs", str(asked.running_jobs)]
    async with canned_farm(asked.workers, chunk_frames=_CHUNK_FRAMES, words=words) as farm:
        before_s = farm.cpu_s()
        began_s = time.monotonic()
        mine = await _create(farm, load, "a", asked.jobs)
        await _create(farm, load, "b", asked.jobs // 4)
        load.created_s = time.monotonic() - began_s
        load.began_s = time.monotonic()
        async with AsyncExitStack() as stack:
            await _watch(stack, farm, load, [mine[n % 100].id for n in range(asked.watchers)])
            while time.monotonic() < load.began_s + asked.seconds:
                at_s = time.monotonic()
                await farm.client.get(mine[0].id)
                load.asked_ms.append(1000 * (time.monotonic() - at_s))
                await asyncio.sleep(0.2)
        used = (farm.cpu_s() - before_s) / (time.monotonic() - began_s)
    _report(asked, load, farm, used)


async def _create(farm: CannedFarm, load: Load, user: str, count: int) -> list[Job]:
    jobs: list[Job] = []
    specs = [farm.spec(_CHUNKS, {"frame_s": frame_s}, user=user) for frame_s in _FRAME_S]
    left = iter(range(count))

    async def some() -> None:
        for number in left:
            job = await farm.client.create(specs[number % len(specs)])
            load.users[job.id] = user
            jobs.append(job)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())
    return jobs


async def _watch(stack: AsyncExitStack, farm: CannedFarm, load: Load, job_ids: list[str]) -> None:
    group = await stack.enter_async_context(asyncio.TaskGroup())
    tasks: list[asyncio.Task[None]] = []
    channel = await stack.enter_async_context(open_channel(farm.client.address))
    stub: Any = RenderCoordinatorStub(channel)
    for number, job_id in enumerate(job_ids):
        if number % 6:
            tasks.append(group.create_task(_read(farm.client, job_id, load)))
        else:  # who never reads
            call = stub.WatchJob(pb.WatchJobRequest(job_id=job_id))
            await call.wait_for_connection()
            stack.callback(call.cancel)
    stack.callback(lambda: [task.cancel() for task in tasks])


async def _read(client: FarmClient, job_id: str, load: Load) -> None:
    async with client.watch(job_id) as events:
        async for _ in events:
            load.heard += 1


def _frames(load: Load, farm: CannedFarm, seconds: float) -> list[Counter[str]]:
    """How many frames each user got in each quarter of the time."""
    quarters = [Counter[str]() for _ in range(_QUARTERS)]
    for job_id, steps in farm.made.items():
        before = 0
        for at_s, done in steps:
            quarter = int((at_s - load.began_s) * _QUARTERS // seconds)
            if 0 <= quarter < _QUARTERS:
                quarters[quarter][load.users[job_id]] += done - before
            before = done
    return quarters


def _part_of_b(frames: Counter[str]) -> str:
    return f"{100 * frames['b'] / max(1, frames.total()):.0f} %"


def _report(asked: argparse.Namespace, load: Load, farm: CannedFarm, used: float) -> None:
    quarters = _frames(load, farm, asked.seconds)
    told, asks = farm.facts, sorted(load.asked_ms)
    rows = [
        ["jobs created in a second", f"{len(load.users) / load.created_s:.0f}"],
        ["memory before, at most", f"{told['rss_mb_first']:g}, {told['rss_mb_max']:g} MB"],
        ["CPU, of one core", f"{100 * used:.0f} %"],
        [
            "event loop late: median, p99, at most",
            f"{told['late_ms_p50']:g}, {told['late_ms_p99']:g}, {told['late_ms_max']:g} ms",
        ],
        ["GetJob: median, at most", f"{asks[len(asks) // 2]:.0f}, {asks[-1]:.0f} ms"],
        ["events that watchers read in a second", f"{load.heard / asked.seconds:.0f}"],
        [
            "frames made in a second, by quarters of the time",
            ", ".join(f"{each.total() * _QUARTERS / asked.seconds:.0f}" for each in quarters),
        ],
        [
            "of these user b's, who came last; and of all",
            ", ".join(_part_of_b(each) for each in [*quarters, sum(quarters, Counter())]),
        ],
    ]
    text = _INTRODUCTION.format(
        workers=asked.workers,
        chunk=_CHUNK_FRAMES,
        running=asked.running_jobs,
        jobs=asked.jobs,
        chunks=_CHUNKS,
        watchers=asked.watchers,
    )
    lines = ["# Overload", "", text, "", *machine.description(), "", *table(["what", "seen"], rows)]
    print("\n".join(lines))
    print(write_report("overload", lines))


if __name__ == "__main__":
    main()
