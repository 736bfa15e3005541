"""The whole story of a chunk: a page is opened, played, filmed, encoded, checked."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from .audio.passages import SoundReport
from .browser import LaunchOptions, open_browser
from .bundle import sha256_of
from .composition import BundleEntry
from .edges import Edges
from .encode.check import check_chunk
from .encode.reading.chunk import chunk_facts
from .errors import CaptureDoubtError, DrawingSilentError, InvalidRequestError, Violation
from .events import PageLog
from .filming import Film, shoot
from .fingerprint import Fingerprint, read_fingerprint
from .floor import Ground, measure_floor
from .keeping import COLD, KeptPage, View, WarmLimits
from .media.projection import MediaRoom
from .probing import probe_page, watch_script
from .profile import sweep_profiles
from .sandbox import Sandbox, sandbox_is_on
from .session import FRAME_TIMEOUT_S
from .site import open_site
from .studio import Studio
from .tasks import beside
from .timings import Timings
from .warm import open_warm_browsers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from .browser import Browser
    from .bundle import BundleStore
    from .composition import Composition
    from .drawing import Screen
    from .encode.pictures import PictureStream
    from .events import OnRenderEvent
    from .filming import Footage
    from .frames import FrameRange
    from .history import ProbeResult
    from .settings import RenderSettings
    from .tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedChunk:
    """The facts of a chunk file."""

    frames: int
    width_px: int
    height_px: int
    size_bytes: int
    sha256: str
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()  # what the page did not get, each once
    frame_digests: tuple[str, ...] = ()  # of each captured picture, in order
    next_frame_digest: str = ""  # of the frame after the chunk's last; "" if not asked for
    timings: Timings = field(default_factory=Timings)
    sounds: SoundReport = field(default_factory=SoundReport)  # what its page let be heard
    edges: Edges = field(default_factory=Edges, repr=False)  # of a chunk that paints all


@asynccontextmanager
async def open_renderer(  # noqa: PLR0913  # each a choice of who runs it
    bundles: BundleStore,
    tools: Tools,
    *,
    sandbox: Sandbox = Sandbox.AUTO,
    frame_timeout_s: float = FRAME_TIMEOUT_S,
    limits: WarmLimits = COLD,
    reads_memory: bool = True,
) -> AsyncGenerator[Renderer]:
    """Open a renderer of `bundles` and of URLs. It renders as many chunks at once as asked.

    Between renders it keeps no browser, unless `limits` let it. Unless it `reads_memory`, Chromium
    is asked for a picture of each frame: the same one, slower.

    Raises:
        MissingToolError: Chromium or ffmpeg does not start.

    """
    async with (
        beside(read_fingerprint(tools)) as facts,
        open_site(bundles) as site,
    ):
        fingerprint = await facts
        is_sandboxed = await sandbox_is_on(sandbox)
        await asyncio.to_thread(sweep_profiles)
        options = LaunchOptions(
            chromium=tools.chromium,
            sandbox=is_sandboxed,
            resolver_rules=site.resolver_rules,
            drawing=tools.drawing,
        )
        media = MediaRoom(site, tools)

        def start(screen: Screen) -> AbstractAsyncContextManager[Browser]:
            return open_browser(replace(options, screen=screen))

        async with open_warm_browsers(start, limits) as warm:
            studio = Studio(warm, site, tools, frame_timeout_s, media)
            yield Renderer(studio, fingerprint, reads_memory=reads_memory and tools.reads_memory)


class Renderer:
    """Renders chunks, each in a browser that it has for itself."""

    def __init__(self, studio: Studio, facts: Fingerprint, *, reads_memory: bool = True) -> None:
        self._studio = studio
        self._reads_memory = reads_memory
        self.facts = facts

    @property
    def fingerprint(self) -> str:
        """All of this machine that decides pixels, in one short word."""
        return self.facts.id

    @property
    def warm_pages(self) -> tuple[KeptPage, ...]:
        """The pages that stand ready for the next chunk of their series."""
        return self._studio.warm.pages

    async def end_series(self, series: str) -> None:
        """Close the pages that stand ready for a series: no render of it will come."""
        await self._studio.warm.end_series(series)

    async def start_browsers(self) -> None:
        """Start as many browsers as are kept, before the first render needs one."""
        await self._studio.warm.start_ahead()

    async def render(  # noqa: PLR0913  # a chunk is what these say
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
        """Render the frames to a video file at `output`.

        It stands there, complete and verified, when this returns; nothing stands there when it
        raises, and no process of it is left then. `on_event` is called from this event loop; when
        it hears `Filmed`, the page is free for another render, though the encoder is not done. With
        `has_successor` the frame that follows is captured too, only for its digest; with
        `paints_all` no frame on the way to the first one goes unpainted, and the pictures of the
        chunk's edges are kept. Renders of one `series` may use one page, one after the other;
        without one, and with `paints_all`, it is a fresh page, and nobody uses it again.

        Raises:
            RenderError: and nothing else.

        """
        if not frames:
            raise InvalidRequestError([Violation("frames", f"{frames} holds no frame")])
        started_s = time.monotonic()
        await asyncio.to_thread(output.unlink, missing_ok=True)
        film = Film(
            url=await self._address(composition),
            frames=frames,
            settings=settings,
            output=output.with_name(f".{uuid4().hex}-{output.name}"),
            has_successor=has_successor,
            paints_all=paints_all,
            series="" if paints_all else series,
        )
        try:
            footage = await self._film(film, on_event)
            await self._check(film, footage.pictures)
            size_bytes, sha256 = await asyncio.to_thread(_facts_of, film.output)
            await asyncio.to_thread(film.output.replace, output)
        finally:
            await asyncio.to_thread(film.output.unlink, missing_ok=True)
        chunk = _rendered(film, footage, size_bytes=size_bytes, sha256=sha256)
        return replace(chunk, seconds=time.monotonic() - started_s)

    async def probe(
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        on_event: OnRenderEvent,
    ) -> ProbeResult:
        """Find out whether the page shows the same in each session, and after a jump.

        Raises:
            RenderError: and nothing else.

        """
        view = View(
            url=await self._address(composition),
            settings=settings,
            scripts=(watch_script(),),
        )
        return await probe_page(lambda: self._studio.stage(view, on_event), frames)

    async def floor(
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        scratch: Path,
        on_event: OnRenderEvent,
    ) -> None:
        """Paint and encode the frames from 0 on, without reading them: no render does less.

        `on_event` is called as by `render`, while that is done; nothing stays in `scratch`.

        Raises:
            RenderError: and nothing else.

        """
        ground = Ground(
            frames=frames,
            settings=settings,
            ffmpeg=self._studio.tools.ffmpeg,
            output=scratch / f"{uuid4().hex}.mp4",
        )
        view = View(url=await self._address(composition), settings=settings)
        await measure_floor(lambda: self._studio.stage(view, on_event), ground, on_event)

    async def _address(self, composition: Composition) -> str:
        if isinstance(composition, BundleEntry):
            return await self._studio.site.url(composition)
        return composition.url

    async def _film(self, film: Film, on_event: OnRenderEvent) -> Footage:
        """Film what is wanted; where that leaves a doubt, all of it once more and another way."""
        try:
            return await self._film_once(film, on_event, reads_memory=self._reads_memory)
        except (CaptureDoubtError, DrawingSilentError) as doubt:
            again = "the chunk is filmed again, in a fresh page and by PNG files"
            on_event(PageLog("warning", f"{doubt}; {again}"))
            footage = await self._film_once(film, on_event, reads_memory=False)
            return replace(footage, timings=replace(footage.timings, why=str(doubt)))

    async def _film_once(
        self, film: Film, on_event: OnRenderEvent, *, reads_memory: bool
    ) -> Footage:
        view = View(
            url=film.url,
            settings=film.settings,
            start=film.frames.start,
            series=film.series if reads_memory else "",
            goes_on=film.has_successor,
            reads_memory=reads_memory,
        )
        return await shoot(self._studio, view, film, on_event)

    async def _check(self, film: Film, pictures: PictureStream) -> None:
        check_chunk(
            await chunk_facts(self._studio.tools.ffprobe, film.output),
            frames=len(film.frames),
            settings=film.settings,
            size_px=pictures.video_size_px,
        )


def _facts_of(file: Path) -> tuple[int, str]:
    return file.stat().st_size, sha256_of(file)


def _rendered(film: Film, footage: Footage, *, size_bytes: int, sha256: str) -> RenderedChunk:
    frames = len(film.frames)
    width_px, height_px = footage.pictures.video_size_px
    return RenderedChunk(
        frames=frames,
        width_px=width_px,
        height_px=height_px,
        size_bytes=size_bytes,
        sha256=sha256,
        warnings=footage.warnings,
        frame_digests=footage.digests[:frames],
        next_frame_digest="".join(footage.digests[frames:]),
        timings=footage.timings,
        sounds=footage.sounds,
        edges=footage.edges,
    )
