"""Ways for a canvas' pixels from the page to us: through memory of its process, or as a PNG file.

The page has flattened them by then. What a carrier brings does not depend on which one it is.
"""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import psutil

from renderer.errors import CaptureDoubtError
from renderer.picture import BYTES_PER_PIXEL, Picture, from_png

from .memory import ProcessMemory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Evaluate = Callable[[str], Awaitable[Any]]

READER: Final = "window[Symbol.for('framefarm.canvas')]"
_MARK_BYTES: Final = 16
_NUMBER_BYTES: Final = 4  # of the last mark: the frame whose pixels these are
_BUFFERS: Final = 3  # a picture is good until the second one after it is read
_MAX_REGION_BYTES: Final = 1 << 30


class NoMemoryError(Exception):
    """The page's memory cannot be read; the text says why."""


class Carrier(Protocol):
    """Brings the pixels of a frame that the page has read."""

    @property
    def name(self) -> str: ...

    def call(self, frame: int) -> str:
        """Return the expression of the page's part: a function."""
        ...

    async def picture(self, frame: int, outcome: dict[str, Any]) -> Picture:
        """Return what the page's part has brought, good until the second one after it."""
        ...


class FileCarrier:
    """A PNG file in base64, in the answer to DevTools. Slow, and everywhere."""

    name = "canvas-png"

    def __init__(self) -> None:
        self._file = ""
        self._picture: Picture | None = None

    def call(self, frame: int) -> str:
        del frame
        return f"{READER}.toFile"

    async def picture(self, frame: int, outcome: dict[str, Any]) -> Picture:
        del frame
        if self._picture is not None and outcome["file"] == self._file:
            return replace(self._picture, is_repeat=True)
        self._file = outcome["file"]
        self._picture = await asyncio.to_thread(from_png, base64.b64decode(self._file))
        return self._picture


class MemoryCarrier:
    """The page puts the pixels into memory that it keeps, and we read them there.

    Behind them stands a mark with the number of the frame.
    """

    name = "canvas-memory"

    def __init__(self, memory: ProcessMemory, place: Place) -> None:
        self._memory = memory
        self._place = place
        self._buffers = [bytearray(place.pixels_bytes) for _ in range(_BUFFERS)]
        self._reads = 0
        self._last = bytearray()

    def call(self, frame: int) -> str:
        return f"() => {READER}.toMemory({frame})"

    async def picture(self, frame: int, outcome: dict[str, Any]) -> Picture:
        buffer, mark = self._buffers[self._reads % _BUFFERS], bytearray(_MARK_BYTES)
        self._reads += 1
        try:
            await asyncio.to_thread(self._memory.read_into, self._place.first_pixel, buffer)
            self._memory.read_into(self._place.last_mark, mark)
        except OSError as error:
            raise CaptureDoubtError(f"the page's memory cannot be read: {error}") from error
        if not self._place.is_of(frame, mark):
            raise CaptureDoubtError(f"the page's memory does not hold frame {frame} of its canvas")
        last, self._last = self._last, buffer
        return Picture(
            width_px=outcome["width"],
            height_px=outcome["height"],
            pixels=buffer,
            is_repeat=buffer == last,
        )


class Place:
    """A page's memory for one picture: the marks around it, and where it is."""

    def __init__(self, pixels_bytes: int) -> None:
        self.pixels_bytes = pixels_bytes
        self.size_bytes = pixels_bytes + 2 * _MARK_BYTES
        self.head, self.tail = os.urandom(_MARK_BYTES), os.urandom(_MARK_BYTES)
        self.address = 0

    @property
    def first_pixel(self) -> int:
        return self.address + _MARK_BYTES

    @property
    def last_mark(self) -> int:
        return self.first_pixel + self.pixels_bytes

    def is_of(self, frame: int, mark: bytearray) -> bool:
        """Whether the last mark, as it stands there, says that the pixels are those of `frame`."""
        return bytes(mark) == frame.to_bytes(_NUMBER_BYTES, "little") + self.tail[_NUMBER_BYTES:]


async def open_carrier(
    evaluate: Evaluate, browser_pid: int | None, size_px: tuple[int, int]
) -> tuple[Carrier, str]:
    """Return the best way for pictures of this size, and why it is no better one.

    Without a browser's process id memory is not to be read.
    """
    if browser_pid is None:
        return FileCarrier(), "Chromium's memory was not to be read"
    place = Place(size_px[0] * size_px[1] * BYTES_PER_PIXEL)
    marks = f"{list(place.head)}, {list(place.tail)}"
    await evaluate(f"{READER}.setApart({place.pixels_bytes}, {marks})")
    try:
        return await asyncio.to_thread(_find, browser_pid, place), ""
    except NoMemoryError as problem:
        return FileCarrier(), str(problem)


def _find(browser_pid: int, place: Place) -> MemoryCarrier:
    """Look for the marks in every process of the browser that runs pages.

    They are chance itself: where both stand is the place, and each frame's number proves it anew.
    """
    problem = ""
    for memory in map(ProcessMemory, _page_processes(browser_pid)):
        try:
            place.address = next(_addresses(memory, place))
            return MemoryCarrier(memory, place)
        except StopIteration:
            continue
        except OSError as error:
            problem = f": {error}"
    raise NoMemoryError(f"the canvas' pixels are not to be found in Chromium's memory{problem}")


def _addresses(memory: ProcessMemory, place: Place) -> Iterator[int]:
    """The small regions first: memory for so much at once is mapped by itself as a rule."""
    end = bytearray(_MARK_BYTES)
    limit = max(_MAX_REGION_BYTES, 2 * place.size_bytes)
    regions = list(memory.regions(place.size_bytes, limit))
    for region in sorted(regions, key=lambda one: one.size_bytes):
        for address in memory.find(place.head, region):
            with suppress(OSError):  # nothing stands there
                memory.read_into(address + place.size_bytes - _MARK_BYTES, end)
                if bytes(end) == place.tail:
                    yield address


def _page_processes(browser_pid: int) -> list[int]:
    with suppress(psutil.Error):
        children = psutil.Process(browser_pid).children(recursive=True)
        return [one.pid for one in children if "--type=renderer" in one.cmdline()]
    return []
