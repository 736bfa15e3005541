"""Filming: the frames of a chunk, from a page on its stage into the encoder."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .approach import first_picture
from .audio.passages import SOUNDS, SoundReport
from .edges import Edges
from .encode.feed import feeding
from .encode.ffmpeg import encoding
from .events import Filmed, FramesDone
from .media.listening import listen
from .timings import Stage, Timings

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from .capture.base import CaptureStrategy
    from .capture.remembering import RememberingCapture
    from .encode.feed import Feed
    from .encode.ffmpeg import Encoder
    from .encode.pictures import PictureStream
    from .events import OnRenderEvent
    from .frames import FrameRange
    from .keeping import View
    from .picture import Picture
    from .session import Session
    from .settings import RenderSettings
    from .studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What is to be filmed, and where to."""

    url: str
    frames: FrameRange
    settings: RenderSettings
    output: Path
    has_successor: bool = False
    paints_all: bool = False
    series: str = ""  # of films that may use one page, one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """What was noticed on the way: a digest for each picture, and what the page did not get.

    A film that paints all has `edges`, too.
    """

    pictures: PictureStream
    digests: tuple[str, ...]
    warnings: tuple[str, ...]
    timings: Timings
    sounds: SoundReport = field(default_factory=SoundReport)
    edges: Edges = field(default_factory=Edges, repr=False)


async def shoot(studio: Studio, view: View, film: Film, on_event: OnRenderEvent) -> Footage:
    """Film the frames into the file.

    The page is free, and `on_event` hears `Filmed`, as soon as the encoder has all of them: what
    it has yet to do is done beside the next film.

    Raises:
        RenderError: and no file stays.

    """
    began_s = time.perf_counter()
    async with AsyncExitStack() as life:  # of the encoder
        async with studio.stage(view, on_event) as (session, capture):
            open_s = time.perf_counter() - began_s
            camera = Camera(session, capture, studio.tools.ffmpeg)
            footage, encoder = await camera.film(film, life, on_event)
            ended_s = time.perf_counter()
            sounds = await listen(session, studio.media, film, film.output.with_name(SOUNDS))
        on_event(Filmed())
        await encoder.finish()
    finish_s = time.perf_counter() - ended_s
    timings = replace(footage.timings, open_s=open_s, finish_s=finish_s)
    return replace(footage, sounds=sounds, timings=timings)


@dataclass(frozen=True, slots=True)
class Camera:
    """What films: a page, the way its pixels are taken, and ffmpeg."""

    session: Session
    capture: RememberingCapture
    ffmpeg: Path

    async def film(
        self, film: Film, life: AsyncExitStack, on_event: OnRenderEvent
    ) -> tuple[Footage, Encoder]:
        """Hand all frames to an encoder, which lives on in `life` and is to be finished there.

        Raises:
            RenderError: the page cannot be filmed, or its pictures not be encoded.

        """
        stopwatch = self.session.stopwatch
        began_s = time.perf_counter()
        first = await first_picture(
            self.session,
            self.capture,
            film.frames.start,
            film.settings.history,
            paints_all=film.paints_all,
        )
        approach_s = time.perf_counter() - began_s
        stopwatch.reset()
        encoder = await life.enter_async_context(self._encoding(film))
        shots = _Shots(self.session, self.capture, encoder)
        await shots.take(first, film, on_event)
        encoder.end_input()
        footage = Footage(
            pictures=self.capture.pictures,
            digests=tuple(shots.digests),
            warnings=await self.session.warnings(),
            edges=shots.edges,
            timings=replace(
                stopwatch.timings,
                strategy=self.capture.name,
                why=self.capture.why,
                approach_s=approach_s,
                repeated_frames=shots.repeated,
            ),
        )
        return footage, encoder

    def _encoding(self, film: Film) -> AbstractAsyncContextManager[Encoder]:
        pictures, frames = self.capture.pictures, film.frames
        return encoding(self.ffmpeg, pictures, film.settings, film.output, frames=frames)


class _Shots:
    """The pictures of one chunk on their way to the encoder."""

    def __init__(self, session: Session, capture: CaptureStrategy, encoder: Encoder) -> None:
        self.digests: list[str] = []
        self.edges = Edges()
        self.repeated = 0
        self._session = session
        self._capture = capture
        self._encoder = encoder

    async def take(self, first: Picture, film: Film, on_event: OnRenderEvent) -> None:
        """Hand the encoder every picture from `first` on.

        The successor's first frame comes last, if there is one. It is not encoded.
        """
        if film.paints_all:
            self.edges = Edges(first=await asyncio.to_thread(first.png))
        async with feeding(self._encoder) as feed:
            for done, frame in enumerate(film.frames, start=1):
                picture = await self._capture.capture(frame) if done > 1 else first
                await self._hand_over(self._noted(picture), feed)
                self._session.stopwatch.end_frame(frame)
                on_event(FramesDone(done))
            if film.has_successor:
                following = await self._capture.capture(film.frames.stop)
                self._noted(following)
                if film.paints_all:
                    file = await asyncio.to_thread(following.png)
                    self.edges = replace(self.edges, following=file)

    def _noted(self, picture: Picture) -> Picture:
        """The picture, as a repeat also where Chromium has painted the same one again."""
        last = self.digests[-1] if self.digests else ""
        digest = last if picture.is_repeat and last else picture.digest
        self.digests.append(digest)
        self.repeated += digest == last
        return replace(picture, is_repeat=digest == last)

    async def _hand_over(self, picture: Picture, feed: Feed) -> None:
        with self._session.stopwatch.measure(Stage.ENCODE):
            await feed.put(picture)
