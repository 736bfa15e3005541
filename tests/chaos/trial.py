"""A trial: one job on a farm that is ill-treated until the job has ended."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from coordinator.job import JobEvent, JobSpec, ProgressMade
from framefarm.client import FarmClient
from framefarm.errors import FarmError
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from renderer.settings import History, RenderSettings
from tests.support.command_line import living_in
from tests.support.pages import PAGES

from .blows import Blower
from .checker import faults
from .farm import running_farm
from .plans import COORDINATOR, Blow, Deed

PATIENCE_S = 180.0
TIME_LIMIT_S = 1800.0  # of a job; half as far as clocks jump
QUIET_WITHIN_S = 15.0
POLL_S = 0.05
LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a trial's job is, and its farm."""

    frames: int = 3000
    chunk_frames: int = 60
    workers: int = 3
    options: tuple[tuple[str, ...], ...] = ()  # more words for each worker's command
    is_wired: bool = False  # a proxy before each worker
    is_far: bool = False  # workers in another network
    is_clocked: bool = False  # clocks that can be set
    shared: tuple[str, ...] = ()  # more words for each of two coordinators, which share this

    @property
    def chunks(self) -> int:
        return -(-self.frames // self.chunk_frames)

    def spec(self, digest: str) -> JobSpec:
        return JobSpec(
            composition=BundleEntry(digest, "seekable.html"),
            settings=RenderSettings(
                width_px=384, height_px=216, preset="ultrafast", history=History.SEEKABLE
            ),
            frames=FrameRange(0, self.frames),
            chunk_frames=self.chunk_frames,
            time_limit_s=TIME_LIMIT_S,
        )


@dataclass
class Story:
    """What happened in a trial, so far."""

    begun_s: float = 0.0
    seconds: float = 0.0
    frames_done: int = 0
    sha256: str = ""
    events: list[JobEvent] = field(default_factory=list)
    blows: list[Blow] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    start_s: float = 0.0  # what the start of a process took, as a rule: how crowded the machine is

    def hear(self, event: JobEvent) -> None:
        self.events.append(event)
        if isinstance(event.event, ProgressMade):
            self.frames_done = max(self.frames_done, event.event.frames_done)

    def count(self, deed: Deed, *, coordinator: bool) -> int:
        return sum(
            each.deed is deed and (each.target == COORDINATOR) is coordinator for each in self.blows
        )


Now = Callable[[Story], float]


def by_seconds(story: Story) -> float:
    return asyncio.get_running_loop().time() - story.begun_s


def by_frames(story: Story) -> float:
    """As many blows on a slow machine as on a quick one."""
    return float(story.frames_done)


async def trial(
    folder: Path, size: Size, blows: Iterable[Blow] = (), now: Now = by_seconds
) -> Story:
    """Have a job done by a farm of its own, which suffers the blows meanwhile."""
    loop, story = asyncio.get_running_loop(), Story()
    running = running_farm(
        folder,
        workers=size.workers,
        options=size.options,
        is_wired=size.is_wired,
        is_far=size.is_far,
        is_clocked=size.is_clocked,
        shared=size.shared,
    )
    async with (
        running as farm,
        FarmClient(farm.address, patience_s=PATIENCE_S) as client,
    ):
        job = await client.create(size.spec(await client.upload(PAGES)))
        story.begun_s = loop.time()
        async with (
            _followed(farm.address, job.id, story),
            _suffering(Blower(farm, story.blows), story, blows, now),
            client.watch(job.id) as events,
        ):
            async for event in events:
                story.hear(event)
        story.seconds = loop.time() - story.begun_s
        await client.download(job.id, folder / "out.mp4")
        story.start_s = median(start_s for each in farm.services for start_s in each.starts_s)
    story.sha256 = hashlib.sha256((folder / "out.mp4").read_bytes()).hexdigest()
    story.faults += faults(story.events, chunks=size.chunks, frames=size.frames)
    story.faults += [f"still there: {each}" for each in await _left(folder)]
    return story


@asynccontextmanager
async def _followed(address: str, job_id: str, story: Story) -> AsyncGenerator[None]:
    """Count the frames by a new connection each time, which does not wait as a broken one does.

    On a busy machine a coordinator that was killed may else have ended its job before it is heard.
    """

    async def follow() -> None:
        while True:
            with suppress(FarmError):
                async with FarmClient(address, patience_s=0.0, wait_s=0.0) as client:
                    done = (await client.get(job_id)).frames_done
                    story.frames_done = max(story.frames_done, done)
            await asyncio.sleep(LOOK_S)

    following = asyncio.create_task(follow(), name="follow")
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait([following])


@asynccontextmanager
async def _suffering(
    blower: Blower, story: Story, blows: Iterable[Blow], now: Now
) -> AsyncGenerator[None]:
    """Deal blows while the block runs. After it, all is well again."""
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_deal(blower, story, blows, now, is_over), name="deal")
        try:
            yield
        finally:
            is_over.set()


async def _deal(
    blower: Blower, story: Story, blows: Iterable[Blow], now: Now, is_over: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        for blow in blows:
            while now(story) < blow.at and not is_over.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(is_over.wait(), POLL_S)
            if is_over.is_set():
                return
            group.create_task(blower.deal(blow, is_over), name=str(blow))


async def _left(folder: Path) -> list[str]:
    """The processes of a farm that has ended which do not end."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + QUIET_WITHIN_S
    while (left := await asyncio.to_thread(living_in, folder)) and loop.time() < until_s:
        await asyncio.sleep(POLL_S)
    return left
