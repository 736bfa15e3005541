"""The media of one render: sources brought here once, pictures decoded for the times asked for."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .decoder import Decoder, picture_bytes
from .facts import MediaError, MediaFacts, read_facts
from .samples import Samples, decode_samples
from .timeline import Picture, Shelf, source_time_s

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from renderer.tools import Tools

    Fetch = Callable[[str, Path], Awaitable[Path]]

SHELF_BYTES: Final = 256 << 20
_MAX_DECODERS: Final = 6
_MAX_PICTURE_BYTES: Final = 8192 * 8192 * 4
# How far back a decoder begins, so that the picture that is still shown at a time is among those
# that it yields; from the beginning of the file, if pictures are further apart.
_RUN_UPS_S: Final = (Fraction(1, 4), Fraction(4))
# Up to here it is cheaper to decode on than to begin anew.
_PATIENCE_S: Final = 2


@asynccontextmanager
async def open_screening(tools: Tools, shelf: Shelf, fetch: Fetch) -> AsyncGenerator[Screening]:
    """Decode for one render; at the end of the block no process and no file of it is left.

    `fetch` brings what is at a URL into a folder and returns the file; it raises `MediaError`.
    """
    with tempfile.TemporaryDirectory(prefix="framefarm-media-") as folder:
        screening = Screening(tools, shelf, fetch, Path(folder))
        try:
            yield screening
        finally:
            await screening.close()


@dataclass(frozen=True, slots=True)
class Source:
    """A media file that was brought here. Its `id` names its pictures on the shelf."""

    id: str
    file: Path
    facts: MediaFacts
    is_bundled: bool = False  # a file of the composition's bundle, which stood here before


@dataclass(slots=True)
class _Running:
    source: Source
    decoder: Decoder
    used: int


class Screening:
    """Answers what a page asks: a source's facts, and its picture at a time."""

    def __init__(self, tools: Tools, shelf: Shelf, fetch: Fetch, folder: Path) -> None:
        self._tools = tools
        self._shelf = shelf
        self._fetch = fetch
        self.folder = folder
        self._sources: dict[str, asyncio.Task[Source]] = {}
        self._known: dict[str, Source] = {}
        self._running: list[_Running] = []
        self._uses = count()
        self._lock = asyncio.Lock()
        self._is_closed = False

    async def source(self, url: str) -> Source:
        """Bring what is at `url` here, once.

        Raises:
            MediaError: it is not there, or is no media.

        """
        if url not in self._sources:
            self._sources[url] = asyncio.create_task(self._bring(url), name="media-source")
        return await asyncio.shield(self._sources[url])

    async def picture(self, source_id: str, at_us: int, *, loops: bool) -> Picture:
        """The picture that a source shows when it has played for `at_us`.

        Raises:
            MediaError: none can be decoded.

        """
        source = self._known[source_id]
        screen = source.facts.screen
        if screen is None:
            raise MediaError("it has no pictures")
        time_s = source_time_s(at_us, source.facts.duration_s, loops=loops)
        async with self._lock:
            return self._shelf.find(source_id, time_s) or await self._decode(source, time_s)

    async def samples(self, file: Path, rate: int) -> Samples:
        """Decode a sound for a page's Web Audio.

        Raises:
            MediaError: it is none.

        """
        return await decode_samples(self._tools, file, rate)

    def known(self, source_id: str) -> Source | None:
        return self._known.get(source_id)

    def is_damaged(self, source_id: str) -> bool:
        """Whether some of a source's pictures, up to those that were asked for, are lost."""
        return source_id in self._shelf.damaged

    async def close(self) -> None:
        """End what runs. A page that still asks gets no more pictures."""
        self._is_closed = True
        for task in self._sources.values():
            task.cancel()
        if self._sources:
            await asyncio.wait(self._sources.values())
        for running in self._running:
            running.decoder.kill()  # who waits for it does not wait for long
        async with self._lock:
            while self._running:
                await self._running.pop().decoder.close()
        for source in self._known.values():
            if not source.is_bundled:
                self._shelf.forget(source.id)

    async def _bring(self, url: str) -> Source:
        file = await self._fetch(url, self.folder)
        facts = await read_facts(self._tools.ffprobe, file)
        screen = facts.screen
        if screen is not None and picture_bytes(screen) > _MAX_PICTURE_BYTES:
            raise MediaError(f"its pictures have {screen.width_px}x{screen.height_px} px")
        is_bundled = not file.is_relative_to(self.folder)
        source = Source(str(file), file, facts, is_bundled)
        return self._known.setdefault(source.id, source)

    async def _decode(self, source: Source, time_s: Fraction) -> Picture:
        running = self._near(source, time_s)
        if running is not None and (picture := await self._run_to(running, time_s)):
            return picture
        for from_s in _beginnings(time_s):
            running = await self._start(source, from_s)
            if picture := await self._run_to(running, time_s):
                return picture
            if from_s == 0:
                raise MediaError(running.decoder.complaint)
            await self._stop(running)
        raise AssertionError("the last beginning is the file's")

    def _near(self, source: Source, time_s: Fraction) -> _Running | None:
        """A decoder that will soon be there."""
        on_the_way = [
            one
            for one in self._running
            if one.source is source
            and not one.decoder.is_at_end
            and 0 <= time_s - one.decoder.reached_s < _PATIENCE_S
        ]
        return max(on_the_way, key=lambda one: one.decoder.reached_s, default=None)

    async def _run_to(self, running: _Running, time_s: Fraction) -> Picture | None:
        """Decode up to the picture at `time_s`; None if the first that comes is later already."""
        running.used = next(self._uses)
        while picture := await running.decoder.next():
            if picture.start_s > time_s:
                return None
            if running.decoder.is_damaged:
                self._shelf.damaged.add(running.source.id)
            if picture.covers(time_s):
                self._shelf.put(running.source.id, picture)
                return picture
        return None

    async def _start(self, source: Source, from_s: Fraction) -> _Running:
        if self._is_closed:
            raise MediaError("the page is no longer filmed")
        if len(self._running) >= _MAX_DECODERS:
            await self._stop(min(self._running, key=lambda one: one.used))
        decoder = await Decoder.open(self._tools.ffmpeg, source.file, source.facts, from_s)
        running = _Running(source, decoder, next(self._uses))
        self._running.append(running)
        return running

    async def _stop(self, running: _Running) -> None:
        self._running.remove(running)
        await running.decoder.close()


def _beginnings(time_s: Fraction) -> Iterator[Fraction]:
    for run_up_s in _RUN_UPS_S:
        if time_s > run_up_s:
            yield time_s - run_up_s
    yield Fraction(0)
