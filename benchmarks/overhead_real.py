"""A farm of two local workers beside two plain renderers, and how soon an abort is over."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from coordinator.job import JobSpec, JobState, ProgressMade
from framefarm.client import FarmClient
from framefarm.local_farm import local_farm
from renderer.composition import BundleEntry
from renderer.frames import FrameRange

from .plain_renderer import settings_of

_ROOT: Final = Path(__file__).parents[1]
_POLL_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Subject:
    """What is rendered: a page that can be jumped in."""

    page: Path
    size_px: tuple[int, int]

    def spec(self, digest: str, frames: int) -> JobSpec:
        return JobSpec(
            composition=BundleEntry(digest, self.page.name),
            settings=settings_of(self.size_px),
            frames=FrameRange(0, frames),
        )


LIGHT: Final = Subject(_ROOT / "tests" / "e2e" / "pages" / "seekable.html", (640, 360))


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    wall_s: float
    cpu_s: float


async def plain(subject: Subject, frames: int) -> Took:
    """Two renderers, half of the frames each, whose browsers stand already."""
    with tempfile.TemporaryDirectory() as folder:
        halves = [(0, frames // 2), (frames // 2, frames)]
        started = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.plain_renderer", f"{folder}/{start}"),
                *(str(subject.page), *map(str, subject.size_px), str(start), str(stop)),
                stdin=PIPE,
                stdout=PIPE,
                env=os.environ | {"PYTHONPATH": str(_ROOT)},
            )
            for start, stop in halves
        ]

        async def told(word: str) -> None:
            for each in started:
                assert each.stdout is not None
                if (line := await each.stdout.readline()).decode().strip() != word:
                    raise RuntimeError(f"a renderer said {line!r}, not {word}")

        def go_on() -> None:
            for each in started:
                assert each.stdin is not None
                each.stdin.write(b"\n")

        await told("ready")
        began_s, cpu_s = time.monotonic(), _cpu_s()
        go_on()
        await told("done")
        took = Took(wall_s=time.monotonic() - began_s, cpu_s=_cpu_s() - cpu_s)
        go_on()
        for each in started:
            await each.wait()
    return took


async def farm(subject: Subject, frames: int) -> Took:
    """A job on a farm of two workers that stands already, from its creation to its last event."""
    async with local_farm(workers=2) as address, FarmClient(address) as client:
        digest = await client.upload(subject.page.parent)
        began_s, cpu_s = time.monotonic(), _cpu_s()
        job = await client.create(subject.spec(digest, frames))
        ended = await client.wait(job.id)
        took = Took(wall_s=time.monotonic() - began_s, cpu_s=_cpu_s() - cpu_s)
    if ended.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"the job {ended.state}: {ended.error}")
    return took


async def abort_s(times: int) -> list[float]:
    """From the cancel of a job to the end of the last of its pages and encoders, in order."""
    took_s: list[float] = []
    async with local_farm(workers=2) as address, FarmClient(address) as client:
        digest = await client.upload(LIGHT.page.parent)
        for _ in range(times):
            job = await client.create(LIGHT.spec(digest, 30_000))
            async with client.watch(job.id) as events:
                async for event in events:
                    if isinstance(event.event, ProgressMade) and event.event.frames_done > 20:
                        break
            began_s = time.monotonic()
            await client.cancel(job.id)
            while _at_work():  # of other processes
                await asyncio.to_thread(time.sleep, _POLL_S)
            took_s.append(time.monotonic() - began_s)
    return sorted(took_s)


def _at_work() -> bool:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE and (
                "--type=renderer" in process.cmdline() or process.name() == "ffmpeg"
            ):
                return True
    return False


def _cpu_s() -> float:
    """What all that lives below this process has used, with what has ended below that."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total
