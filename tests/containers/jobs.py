"""Jobs for a farm of containers, given and followed through the client that users have."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from coordinator.job import ChunkMoved, ChunkState, JobSpec, ProgressMade
from framefarm.client import FarmClient
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.settings import RenderSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from coordinator.job import Event, Job, JobEvent, Output

    from .farm import Farm

PAGE: Final = "counter.html"
WIDTH_PX: Final = 480
HEIGHT_PX: Final = 270
CHUNK_FRAMES: Final = 30
FRAMES: Final = 8 * CHUNK_FRAMES


@dataclass(frozen=True, slots=True)
class Video:
    """A job's video, downloaded."""

    path: Path
    output: Output


class Watched:
    """A job that runs, and what was heard of it so far."""

    def __init__(self, client: FarmClient, job: Job, events: AsyncIterator[JobEvent]) -> None:
        self.client = client
        self.job_id = job.id
        self.heard: list[Event] = []
        self._events = events

    async def until_a_worker_draws(self) -> ChunkMoved:
        """Follow until frames come, and return a chunk that a worker has in hand."""
        async for event in self._events:
            self.heard.append(event.event)
            drawing = self._in_hand()
            if drawing and isinstance(event.event, ProgressMade) and event.event.frames_done:
                return drawing[0]
        raise AssertionError(f"the job ended before it was caught at work: {self.heard}")

    async def until_it_ends(self) -> Job:
        async for event in self._events:
            self.heard.append(event.event)
        return await self.client.get(self.job_id)

    def moves(self, state: ChunkState) -> list[ChunkMoved]:
        return [one for one in self._moves() if one.state is state]

    def _moves(self) -> list[ChunkMoved]:
        return [event for event in self.heard if isinstance(event, ChunkMoved)]

    def _in_hand(self) -> list[ChunkMoved]:
        latest = {one.index: one for one in self._moves()}
        return [one for one in latest.values() if one.state is ChunkState.RENDERING]


@asynccontextmanager
async def counting(farm: Farm, pages: Path, **props: Any) -> AsyncGenerator[Watched]:
    """A job for the page that shows its frame's number, created and watched."""
    async with FarmClient(farm.address) as client:
        job = await client.create(_spec(await client.upload(pages), props))
        async with client.watch(job.id) as events:
            yield Watched(client, job, events)


async def render_on(farm: Farm, pages: Path, path: Path) -> Video:
    """Count from the first frame to the last, on this farm."""
    async with counting(farm, pages) as watched:
        job = await watched.until_it_ends()
        assert job.error is None, job.error
        return Video(path, await watched.client.download(job.id, path))


def _spec(digest: str, props: dict[str, Any]) -> JobSpec:
    return JobSpec(
        composition=BundleEntry(digest, PAGE),
        settings=RenderSettings(
            width_px=WIDTH_PX, height_px=HEIGHT_PX, props_json=json.dumps(props)
        ),
        frames=FrameRange(0, FRAMES),
        chunk_frames=CHUNK_FRAMES,
    )
