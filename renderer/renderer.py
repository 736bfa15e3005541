"""The whole story of a chunk: a page is opened, played, filmed, encoded, checked."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from .approach import APPROACH_FRAMES, first_picture
from .browser import LaunchOptions, Sandbox, open_playwright, sandbox_is_on
from .bundle import sha256_of
from .composition import BundleEntry
from .encode.ffmpeg import encoding
from .encode.probe import check_chunk, probe
from .errors import InvalidRequestError, Violation
from .events import FramesDone
from .fingerprint import Fingerprint, read_fingerprint
from .media.projection import MediaRoom
from .probing import probe_page, watch_script
from .session import FRAME_TIMEOUT_S
from .site import open_site
from .studio import Studio, View

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from .bundle import BundleStore
    from .capture.base import CaptureStrategy
    from .composition import Composition
    from .encode.ffmpeg import Encoder
    from .encode.pictures import PictureStream
    from .events import OnRenderEvent
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
    seconds: float
    warnings: tuple[str, ...] = ()  # what the page did not get, each once
    frame_digests: tuple[str, ...] = ()  # sha256 of each captured picture, in order
    next_frame_digest: str = ""  # of the frame after the chunk's last; "" if not asked for


@asynccontextmanager
async def open_renderer(
    bundles: BundleStore,
    tools: Tools,
    *,
    sandbox: Sandbox = Sandbox.AUTO,
    frame_timeout_s: float = FRAME_TIMEOUT_S,
) -> AsyncGenerator[Renderer]:
    """Open a renderer of `bundles` and of URLs. It renders as many chunks at once as asked.

    Raises:
        MissingToolError: Chromium, ffmpeg or Playwright's driver does not start.

    """
    fingerprint = await read_fingerprint(tools)
    is_sandboxed = await sandbox_is_on(sandbox)
    async with open_site(bundles) as site, open_playwright() as playwright:
        options = LaunchOptions(
            chromium=tools.chromium, sandbox=is_sandboxed, resolver_rules=site.resolver_rules
        )
        media = MediaRoom(site, tools)
        studio = Studio(playwright, options, site, tools, frame_timeout_s, media)
        yield Renderer(studio, fingerprint)


class Renderer:
    """Renders chunks, each with a browser of its own."""

    def __init__(self, studio: Studio, facts: Fingerprint) -> None:
        self._studio = studio
        self.facts = facts

    @property
    def fingerprint(self) -> str:
        """All of this machine that decides pixels, in one short word."""
        return self.facts.id

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
    ) -> RenderedChunk:
        """Render the frames to a video file at `output`.

        It stands there, complete and verified, when this returns; nothing stands there when it
        raises, and no process of it is left. `on_event` is called from this event loop. With
        `has_successor` the frame that follows is captured too, only for its digest; with
        `paints_all` no frame on the way to the first one goes unpainted.

        Raises:
            RenderError: and nothing else.

        """
        if not frames:
            raise InvalidRequestError([Violation("frames", f"{frames} holds no frame")])
        started_s = time.monotonic()
        part = output.with_name(f".{uuid4().hex}-{output.name}")
        await asyncio.to_thread(output.unlink, missing_ok=True)
        try:
            url = await self._address(composition)
            film = Film(url, frames, settings, part, has_successor, paints_all)
            pictures, filmed = await self._film(film, on_event)
            await self._check(part, pictures, frames, settings)
            sha256 = await asyncio.to_thread(sha256_of, part)
            await asyncio.to_thread(part.replace, output)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        width_px, height_px = pictures.video_size_px
        return RenderedChunk(
            frames=len(frames),
            width_px=width_px,
            height_px=height_px,
            size_bytes=output.stat().st_size,
            sha256=sha256,
            seconds=time.monotonic() - started_s,
            warnings=filmed.warnings,
            frame_digests=filmed.digests[: len(frames)],
            next_frame_digest="".join(filmed.digests[len(frames) :]),
        )

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
            first_drawn=0,
            scripts=(watch_script(),),
        )
        return await probe_page(lambda: self._studio.stage(view, on_event), frames)

    async def _address(self, composition: Composition) -> str:
        if isinstance(composition, BundleEntry):
            return await self._studio.site.url(composition)
        return composition.url

    async def _film(self, film: Film, on_event: OnRenderEvent) -> tuple[PictureStream, Filmed]:
        settings = film.settings
        view = View(
            url=film.url, settings=settings, first_drawn=film.frames.start - APPROACH_FRAMES
        )
        async with self._studio.stage(view, on_event) as (session, capture):
            first = await first_picture(
                session,
                capture,
                film.frames.start,
                settings.history,
                paints_all=film.paints_all,
            )
            ffmpeg = self._studio.tools.ffmpeg
            async with encoding(ffmpeg, capture.pictures, settings, film.output) as encoder:
                digests = await _shoot(first, capture, encoder, film, on_event)
                await encoder.finish()
            return capture.pictures, Filmed(digests, session.warnings)

    async def _check(
        self, video: Path, pictures: PictureStream, frames: FrameRange, settings: RenderSettings
    ) -> None:
        width_px, height_px = pictures.video_size_px
        check_chunk(
            await probe(self._studio.tools.ffprobe, video),
            frames=len(frames),
            frame_rate=settings.frame_rate,
            width_px=width_px,
            height_px=height_px,
        )


@dataclass(frozen=True, slots=True)
class Film:
    """What is to be filmed, and where to."""

    url: str
    frames: FrameRange
    settings: RenderSettings
    output: Path
    has_successor: bool
    paints_all: bool


@dataclass(frozen=True, slots=True)
class Filmed:
    """What was noticed on the way: a digest for each picture, and what the page did not get."""

    digests: tuple[str, ...]
    warnings: tuple[str, ...]


async def _shoot(
    first: bytes,
    capture: CaptureStrategy,
    encoder: Encoder,
    film: Film,
    on_event: OnRenderEvent,
) -> tuple[str, ...]:
    """Hand the encoder every picture from `first` on; return the digest of each.

    The successor's first frame comes last, if there is one. It is not encoded.
    """
    digests = list[str]()
    for done, frame in enumerate(film.frames, start=1):
        picture = await capture.capture(frame) if done > 1 else first
        digests.append(await asyncio.to_thread(_digest, picture))
        await encoder.write(picture)
        on_event(FramesDone(done))
    if film.has_successor:
        picture = await capture.capture(film.frames.stop)
        digests.append(await asyncio.to_thread(_digest, picture))
    return tuple(digests)


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
