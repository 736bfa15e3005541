"""Measures a page here: frames a second by slots, where a frame's time goes, and the floor."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from executors.tasks import task_group
from renderer.bundle import BundleStore
from renderer.errors import InvalidRequestError, Violation
from renderer.events import FramesDone
from renderer.frames import FrameRange
from renderer.keeping import WarmLimits
from renderer.picture import BYTES_PER_PIXEL
from renderer.tools import find_tools
from worker.cgroup import limits

from .preparation import Place, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.job import JobSpec
    from renderer.events import RenderEvent
    from renderer.renderer import RenderedChunk, Renderer

    from .preparation import PreparedJob
    from .request import RenderOptions

DEFAULT_FRAMES: Final = 120
MAX_SLOTS: Final = 64
# The floor keeps its frames in memory: some sixty at 1080p.
FLOOR_BYTES: Final = 512 << 20
# A rate needs two frames, and the first ones of a page are like no other.
_FEWEST_FRAMES: Final = 3
_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast frames came when all slots were at work, and the CPU time of every process."""

    frames: int
    frames_per_second: float
    cpu_ms_per_frame: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsPace:
    """The pace of so many slots, each of which rendered a chunk."""

    slots: int
    pace: Pace
    chunks: tuple[RenderedChunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarked:
    """What was measured, fewest slots first."""

    frames: int
    rows: tuple[SlotsPace, ...]
    floor: Pace

    @property
    def alone(self) -> SlotsPace:
        return self.rows[0]

    @property
    def of_floor(self) -> float:
        """What one slot reaches of the pace of a render that reads no pixels."""
        return self.alone.pace.frames_per_second / self.floor.frames_per_second

    @property
    def cpu_of_floor(self) -> float:
        """The same by CPU time, which other programs on this machine disturb less."""
        return self.floor.cpu_ms_per_frame / self.alone.pace.cpu_ms_per_frame

    @property
    def best_slots(self) -> int:
        return max(self.rows, key=lambda row: row.pace.frames_per_second).slots


def default_slots() -> int:
    """One more than the CPUs that this process may use: the last one is to bring nothing."""
    return int(limits().cpus) + 1


async def benchmark(
    source: str, options: RenderOptions, *, slots: int, on_step: Callable[[str], None]
) -> Benchmarked:
    """Measure a page on this machine with 1 to `slots` slots; `on_step` hears what comes next.

    Raises:
        InvalidRequestError: the request is wrong; `violations` says where.
        MissingToolError: this machine cannot render.
        RenderError: the page throws, or cannot be filmed.

    """
    if "frames" not in options and "duration" not in options:
        options = {**options, "frames": DEFAULT_FRAMES}
    from renderer.renderer import open_renderer  # late: only a benchmark waits for its import

    prepared = await prepare(source, options, output=None, place=Place())
    with tempfile.TemporaryDirectory(prefix="framefarm-benchmark-") as folder:
        bundles = BundleStore(Path(folder, "bundles"))
        await asyncio.to_thread(_keep, prepared, bundles)
        # A browser that starts while others film is not what is measured: all of them stand ready.
        warm = WarmLimits(browsers=slots)
        async with open_renderer(bundles, find_tools(os.environ), limits=warm) as renderer:
            await renderer.start_browsers()
            bench = _Bench(renderer, prepared.spec, Path(folder))
            rows: list[SlotsPace] = []
            for count in range(1, slots + 1):
                on_step(f"rendering with {count} {'slot' if count == 1 else 'slots'}")
                rows.append(await bench.run(count))
            on_step("painting without reading, and encoding from memory: the floor")
            floor = await bench.floor()
    return Benchmarked(frames=len(prepared.spec.frames), rows=tuple(rows), floor=floor)


def _keep(prepared: PreparedJob, bundles: BundleStore) -> None:
    for bundle in prepared.bundles:
        bundles.add_folder(bundle.folder, bundle.manifest)


class _Bench:
    """A renderer at work for its own sake."""

    def __init__(self, renderer: Renderer, spec: JobSpec, folder: Path) -> None:
        self._renderer = renderer
        self._spec = spec
        self._folder = folder

    async def run(self, slots: int) -> SlotsPace:
        """Render the same frames in each slot, all at once.

        Where few frames are asked for, a slot may be done before another one begins: then they
        try again, for how far apart they begin is chance.

        Raises:
            InvalidRequestError: so few frames are asked for that they never worked together.

        """
        for _ in range(_TRIES - 1):
            with suppress(InvalidRequestError):
                return await self._run(slots)
        return await self._run(slots)

    async def _run(self, slots: int) -> SlotsPace:
        lap = Lap(slots, len(self._spec.frames))
        async with task_group() as group:
            renders = [
                group.create_task(self._render(slot, lap), name=f"slot-{slot}")
                for slot in range(slots)
            ]
        chunks = tuple(render.result() for render in renders)
        return SlotsPace(slots=slots, pace=lap.pace(), chunks=chunks)

    async def floor(self) -> Pace:
        settings = self._spec.settings
        width_px, height_px = settings.picture_size_px
        most = max(_FEWEST_FRAMES, FLOOR_BYTES // (width_px * height_px * BYTES_PER_PIXEL))
        frames = FrameRange(0, min(len(self._spec.frames), most))
        lap = Lap(1, len(frames))
        await self._renderer.floor(
            self._spec.composition,
            frames,
            settings=settings,
            scratch=self._folder,
            on_event=lambda event: lap.hear(0, event),
        )
        return lap.pace()

    async def _render(self, slot: int, lap: Lap) -> RenderedChunk:
        return await self._renderer.render(
            self._spec.composition,
            self._spec.frames,
            settings=self._spec.settings,
            output=self._folder / f"slot-{slot}.mp4",
            on_event=lambda event: lap.hear(slot, event),
        )


class Lap:
    """Times the stretch in which all slots are at work: from the last start to the first end."""

    def __init__(
        self,
        slots: int,
        frames: int,
        *,
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] | None = None,
    ) -> None:
        self._frames = frames
        self._clock = clock
        self._cpu_clock = cpu_clock or family_cpu_s
        self._done = [0] * slots
        self._begin: _Mark | None = None
        self._end: _Mark | None = None

    def hear(self, slot: int, event: RenderEvent) -> None:
        if not isinstance(event, FramesDone):
            return
        before = self._done[slot]
        self._done[slot] = max(before, event.done)
        if self._begin is None and all(self._done):
            self._begin = self._mark()
        elif self._end is None and event.done == self._frames > before:
            self._end = self._mark()

    def pace(self) -> Pace:
        """Return the pace of that stretch.

        Raises:
            InvalidRequestError: there was none; slots never worked at the same time.

        """
        begin, end = self._begin, self._end
        if begin is None or end is None or end.frames <= begin.frames:
            problem = f"{self._frames} are too few to see {len(self._done)} slots at work at once"
            raise InvalidRequestError([Violation("frames", f"{problem}; give more")])
        frames = end.frames - begin.frames
        return Pace(
            frames=frames,
            frames_per_second=frames / (end.at_s - begin.at_s),
            cpu_ms_per_frame=(end.cpu_s - begin.cpu_s) / frames * 1000,
        )

    def _mark(self) -> _Mark:
        return _Mark(self._clock(), self._cpu_clock(), sum(self._done))


@dataclass(frozen=True, slots=True)
class _Mark:
    at_s: float
    cpu_s: float
    frames: int


def family_cpu_s() -> float:
    """CPU seconds of this process and of all that descend from it, also of those that ended.

    The kernel adds those of a process that has ended to its parent's, when that has waited for it.
    """
    sum_s = 0.0
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            sum_s += times.user + times.system + times.children_user + times.children_system
    return sum_s
