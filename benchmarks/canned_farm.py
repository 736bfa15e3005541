"""A coordinator before workers that render nothing: what the coordinator costs is all there is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from coordinator.job import JobSpec
from executors.base import Share
from framefarm.client import FarmClient
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from tests.support.canned_workers import canned_settings

_LINE_BYTES: Final = 1 << 26
_STOP_S: Final = 60.0


@dataclass
class CannedFarm:
    """`facts` (benchmarks.watched_coordinator) and `made` come when it has ended.

    `made` holds, for each job, when how many of its frames had been made, by the monotonic clock.
    """

    client: FarmClient
    coordinator: psutil.Process
    chunk_frames: int
    facts: dict[str, float] = field(default_factory=dict)
    made: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    def spec(self, chunks: int, orders: Mapping[str, float], *, user: str = "") -> JobSpec:
        return JobSpec(
            composition=PageUrl("http://127.0.0.1:1/"),
            settings=canned_settings(**orders),
            frames=FrameRange(0, chunks * self.chunk_frames),
            chunk_frames=self.chunk_frames,
            share=Share(user=user),
        )

    def cpu_s(self) -> float:
        """What the coordinator has used so far, without its children."""
        used = self.coordinator.cpu_times()
        return used.user + used.system


@asynccontextmanager
async def canned_farm(
    workers: int, *, chunk_frames: int = 10, slots: int = 1, words: Sequence[str] = ()
) -> AsyncGenerator[CannedFarm]:
    """Run a farm for the block; `words` are more of the coordinator's."""
    with tempfile.TemporaryDirectory(prefix="canned-") as folder:
        count = [str(workers), "--frames", str(chunk_frames), "--slots", str(slots)]
        fleet = await _started("tests.support.canned_workers", *count)
        try:
            addresses = ",".join(json.loads(await _line(fleet)))
            facts = Path(folder, "facts.json")
            where = ["--data-dir", str(Path(folder, "data")), "--workers", addresses]
            head = await _started("benchmarks.watched_coordinator", str(facts), *where, *words)
            try:
                async with FarmClient(await _line(head)) as client:
                    farm = CannedFarm(client, psutil.Process(head.pid), chunk_frames)
                    yield farm
            finally:
                await _stopped(head)
            farm.facts = json.loads(facts.read_text())
        finally:
            told = await _stopped(fleet)
        farm.made = told["made"]


async def _started(module: str, *words: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        stdin=PIPE,
        stdout=PIPE,
        limit=_LINE_BYTES,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )


async def _line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def _stopped(process: Process) -> Any:
    assert process.stdin is not None
    process.stdin.close()
    try:
        said = await asyncio.wait_for(_line(process), _STOP_S)
        await asyncio.wait_for(process.wait(), _STOP_S)
    finally:
        if process.returncode is None:
            process.kill()
    return json.loads(said) if said else None
