"""What a coordinator costs and how late it is, before workers that render nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from coordinator.job import JobState, ProgressMade, StateChanged

from .canned_farm import CannedFarm, canned_farm

SLOW = 4  # times as slow as the others is the one


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A coordinator's CPU: for a chunk, and of one core while 16 workers tell progress.

    `all_ms` is both together by the chunks of the run; `tools_ms` what tools it started took.
    """

    chunk_ms: float
    while_part: float
    all_ms: float
    tools_ms: float


async def chunk_cost(chunks: int, *, workers: int = 16) -> Cost:
    """Tell the cost of chunks from that of time by two jobs; joining is not counted."""
    async with canned_farm(workers, chunk_frames=5) as farm:
        await _run(farm, 10, frame_s=0.01)  # what is paid once is paid
        tools_s = _tools_s(farm)
        many = await _run(farm, chunks, frame_s=0.01)
        tools_s = _tools_s(farm) - tools_s
        few = await _run(farm, 2 * workers, frame_s=1.5)
    part = (few.cpu_s * chunks - many.cpu_s * 2 * workers) / (
        few.seconds * chunks - many.seconds * 2 * workers
    )
    return Cost(
        chunk_ms=1000 * (many.cpu_s - part * many.seconds) / chunks,
        while_part=part,
        all_ms=1000 * many.cpu_s / chunks,
        tools_ms=1000 * tools_s / chunks,
    )


def _tools_s(farm: CannedFarm) -> float:
    used = farm.coordinator.cpu_times()
    return used.children_user + used.children_system


async def lateness_s(workers: int, *, chunks: int, frames: int) -> list[float]:
    """How long after a frame was made a watcher heard of it, for each, in order."""
    async with canned_farm(workers, chunk_frames=frames) as farm:
        run = await _run(farm, chunks, frame_s=1 / 30)
    late_s: list[float] = []
    heard = iter(run.heard)
    at_s, done = next(heard)
    for made_s, count in farm.made[run.job_id]:
        while done < count:
            at_s, done = next(heard)
        late_s.append(at_s - made_s)
    return sorted(late_s)


async def makespan_ratio(*, workers: int = 8, chunks: int = 80, frames: int = 10) -> float:
    """How long a job takes where one worker is slow, by how long it would if cut ideally."""
    frame_s = 0.2  # long enough for the coordinator to keep up on a crowded machine
    async with canned_farm(workers, chunk_frames=frames) as farm:
        await _run(farm, workers, frame_s=0.01)
        run = await _run(farm, chunks, frame_s=frame_s, slow=SLOW)
    return run.seconds / (chunks * frames * frame_s / (workers - 1 + 1 / SLOW))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A job, up to the moment when its last chunk was there; `heard` is (when, frames done)."""

    job_id: str
    seconds: float
    cpu_s: float
    heard: list[tuple[float, int]]


async def _run(farm: CannedFarm, chunks: int, **orders: float) -> _Run:
    cpu_s, began_s = farm.cpu_s(), time.monotonic()
    heard: list[tuple[float, int]] = []
    seconds = used_s = 0.0
    job = await farm.client.create(farm.spec(chunks, orders))
    async with farm.client.watch(job.id) as events:
        async for event in events:
            match event.event:
                case ProgressMade(done, _):
                    heard.append((time.monotonic(), done))
                case StateChanged(JobState.ASSEMBLING):
                    seconds, used_s = time.monotonic() - began_s, farm.cpu_s() - cpu_s
                case _:
                    pass
    ended = await farm.client.get(job.id)
    if ended.state is not JobState.SUCCEEDED:
        raise RuntimeError(f"the job {ended.state}: {ended.error}")
    return _Run(job_id=job.id, seconds=seconds, cpu_s=used_s, heard=heard)
