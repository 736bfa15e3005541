"""Filming: the frames of a chunk, from a page on its stage into the encoder."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .approach import first_picture
from .audio.passages import SoundReport
from .edges import Edges
from .encode.feed import feeding
from .encode.ffmpeg import encoding
from .events import FramesDone
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
    from .picture import Picture
    from .session import Session
    from .settings import RenderSettings


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
class Filmed:
    """What was noticed on the way: a digest for each picture, and what the page did not get.

    A film that paints all has `edges`, too.
    """

    pictures: PictureStream
    digests: tuple[str, ...]
    warnings: tuple[str, ...]
    timings: Timings
    sounds: SoundReport = field(default_factory=SoundReport)
    edges: Edges = field(default_factory=Edges, repr=False)


@dataclass(frozen=True, slots=True)
class Camera:
    """What films: a page, the way its pixels are taken, and ffmpeg."""

    session: Session
    capture: RememberingCapture
    ffmpeg: Path

    async def film(self, film: Film, on_event: OnRenderEvent) -> Filmed:
        """Film the frames into the file.

        Raises:
            RenderError: and no file stays.

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
        async with self._encoding(film) as encoder:
            shots = _Shots(self.session, self.capture, encoder)
            await shots.take(first, film, on_event)
            warnings = await self.session.warnings()
            ended_s = time.perf_counter()
            await encoder.finish()
        return Filmed(
            pictures=self.capture.pictures,
            digests=tuple(shots.digests),
            warnings=warnings,
            edges=shots.edges,
            timings=replace(
                stopwatch.timings,
                strategy=self.capture.name,
                why=self.capture.why,
                approach_s=approach_s,
                finish_s=time.perf_counter() - ended_s,
                repeated_frames=shots.repeated,
            ),
        )

    def _encoding(self, film: Film) -> AbstractAsyncContextManager[Encoder]:
        pictures, first_frame = self.capture.pictures, film.frames.start
        return encoding(self.ffmpeg, pictures, film.settings, film.output, first_frame=first_frame)


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
                self._note(picture)
                await self._hand_over(picture, feed)
                self._session.stopwatch.end_frame(frame)
                on_event(FramesDone(done))
            if film.has_successor:
                following = await self._capture.capture(film.frames.stop)
                self._note(following)
                if film.paints_all:
                    file = await asyncio.to_thread(following.png)
                    self.edges = replace(self.edges, following=file)

    def _note(self, picture: Picture) -> None:
        if picture.is_repeat and self.digests:
            self.repeated += 1
            self.digests.append(self.digests[-1])
        else:
            self.digests.append(picture.digest)

    async def _hand_over(self, picture: Picture, feed: Feed) -> None:
        with self._session.stopwatch.measure(Stage.ENCODE):
            await feed.put(picture)
