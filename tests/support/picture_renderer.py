"""A renderer without a browser: real chunk files of numbered pictures, and faults to order.

The composition's props are its orders, the same as those of tests/e2e/pages/counter.html:
`throw` fails the page in that frame, `hang` stops in it. `crash` breaks the renderer there, as
often as `crashes` says. `frame_s` is how long a frame takes. `spoils` chunks show other numbers
than they should. Where there is a `gate`, a chunk has its last frame when the gate lets it through.
Where there is a `darkroom`, chunks are encoded when it is open.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from renderer.composition import Composition
from renderer.edges import Edges
from renderer.errors import BrowserLostError, CompositionError, Fault
from renderer.events import Filmed, FramesDone, OnRenderEvent, PageLog
from renderer.frames import FrameRange
from renderer.history import Between, Difference, ProbeResult, Use
from renderer.keeping import KeptPage
from renderer.picture import Picture
from renderer.renderer import RenderedChunk
from renderer.settings import RenderSettings
from renderer.timings import Timings

from .chunks import encode
from .pictures import digests, edges, numbered_picture


@dataclass
class PictureRenderer:
    """Renders numbered pictures. `begun`, `filming`, `running` and `rendered` tell what it did."""

    fingerprint: str = "pictures"
    crashes: int = 0
    spoils: int = 0
    darkroom: asyncio.Event | None = None
    begun: list[FrameRange] = field(default_factory=list)
    filming: list[FrameRange] = field(default_factory=list)
    running: list[FrameRange] = field(default_factory=list)  # filming, or encoding
    rendered: list[FrameRange] = field(default_factory=list)
    pages: tuple[KeptPage, ...] = ()
    gate: asyncio.Semaphore | None = None

    @property
    def warm_pages(self) -> tuple[KeptPage, ...]:
        return self.pages

    async def end_series(self, series: str) -> None:
        self.pages = tuple(page for page in self.pages if page.key.series != series)

    async def render(
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        output: Path,
        on_event: OnRenderEvent,
        has_successor: bool = False,
        paints_all: bool = False,
        series: str = "",
    ) -> RenderedChunk:
        del series
        self.begun.append(frames)
        self.running.append(frames)
        try:
            on_event(PageLog("log", f"hello from {composition}"))
            await self._film(frames, json.loads(settings.props_json), on_event)
            pictures = self._pictures(range(frames.start, frames.stop + has_successor))
            on_event(Filmed())
            if self.darkroom is not None:
                await self.darkroom.wait()
            await encode(pictures[: len(frames)], output, settings)
            self.rendered.append(frames)
        finally:
            self.running.remove(frames)
        data = await asyncio.to_thread(output.read_bytes)
        return RenderedChunk(
            frames=len(frames),
            width_px=settings.width_px,
            height_px=settings.height_px,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            seconds=1.0,
            timings=Timings(strategy="numbers", why="no browser is there"),
            edges=edges(pictures, len(frames)) if paints_all else Edges(),
            **digests(pictures, len(frames)),
        )

    async def _film(
        self, frames: FrameRange, orders: dict[str, float], on_event: OnRenderEvent
    ) -> None:
        self.filming.append(frames)
        try:
            for done, number in enumerate(frames, start=1):
                if self.gate and done == len(frames):
                    await self.gate.acquire()
                await self._frame(number, orders)
                on_event(FramesDone(done))
        finally:
            self.filming.remove(frames)

    def _pictures(self, numbers: range) -> list[Picture]:
        shift = 1000 if self.spoils > 0 else 0
        self.spoils -= 1
        return [numbered_picture(number + shift) for number in numbers]

    async def probe(
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        on_event: OnRenderEvent,
    ) -> ProbeResult:
        del composition, on_event
        orders = json.loads(settings.props_json)
        self.running.append(frames)
        try:
            await self._frame(0, orders)
        finally:
            self.running.remove(frames)
        return ProbeResult(
            frames=(0, 9),
            jumps=(9,),
            differences=tuple(
                Difference(frame=frame, between=Between.WAYS) for frame in orders.get("differs", ())
            ),
            uses=(Use(api="request", detail="http://a.example/b", count=2),),
        )

    async def _frame(self, number: int, orders: dict[str, float]) -> None:
        await asyncio.sleep(orders.get("frame_s", 0))
        if number == orders.get("throw"):
            message = f"Error: the page gave up at frame {number}"
            raise CompositionError(Fault.PAGE_ERROR, message, detail="at page.js:1:1")
        if number == orders.get("hang"):
            await asyncio.Event().wait()
        if number == orders.get("crash") and self.crashes > 0:
            self.crashes -= 1
            raise BrowserLostError("Chromium is gone")
