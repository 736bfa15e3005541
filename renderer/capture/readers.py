"""How the pixels of a painted frame leave the browser: out of its memory, or as a PNG file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from renderer.errors import CaptureDoubtError
from renderer.picture import Picture, from_png
from renderer.timings import Stage

if TYPE_CHECKING:
    from .base import Painter
    from .framebuffer import Framebuffer

# A picture that was read stands in a buffer that is used again for the second one after it.
_BUFFERS: Final = 3
_CHECKED_EVERY: Final = 300


class Reader(Protocol):
    """Paints a frame that the painter has come to, and reads its pixels, or not."""

    @property
    def name(self) -> str: ...

    @property
    def why(self) -> str:
        """Why there is no better reader; "" for the best."""
        ...

    async def paint(self) -> None:
        """Paint the frame for nobody to see."""
        ...

    async def read(self) -> Picture:
        """Paint the frame and return its picture, good until the second one after it is read."""
        ...

    def miss(self) -> None:
        """A frame is played and not painted."""
        ...


class ScreenshotReader:
    """The picture that Chromium returns, a PNG file. Lossless, and right everywhere."""

    def __init__(self, painter: Painter, name: str, why: str) -> None:
        self.name = name
        self.why = why
        self._painter = painter
        self._file = b""
        self._picture: Picture | None = None

    async def paint(self) -> None:
        await self._painter.draw()

    async def read(self) -> Picture:
        file = await self._painter.draw_picture()
        if self._picture is not None and file == self._file:
            return replace(self._picture, is_repeat=True)
        with self._painter.stopwatch.measure(Stage.READ):
            self._picture = await asyncio.to_thread(from_png, file)
        self._file = file
        return self._picture

    def miss(self) -> None:
        """Whether a file is the one before shows in the file."""


class FramebufferReader:
    """The frame as it stands in Chromium's memory. A frame that changed nothing is not read again.

    Now and then the frame is also asked for as a picture: the two have to be the same.
    """

    name = "begin-frame-memory"
    why = ""

    def __init__(self, painter: Painter, framebuffer: Framebuffer) -> None:
        self._painter = painter
        self._framebuffer = framebuffer
        self._buffers = [bytearray(framebuffer.size_bytes) for _ in range(_BUFFERS)]
        self._last: Picture | None = None
        self._reads = 0

    async def paint(self) -> None:
        if await self._painter.draw():
            self._last = None

    def miss(self) -> None:
        self._last = None

    async def read(self) -> Picture:
        if self._reads % _CHECKED_EVERY == _CHECKED_EVERY - 1:
            return await self._read_and_check()
        has_damage = await self._painter.draw()
        if self._last is None or has_damage:
            self._last = await self._copy()
            return self._last
        return replace(self._last, is_repeat=True)

    async def _read_and_check(self) -> Picture:
        file = await self._painter.draw_picture()
        self._last = await self._copy()
        with self._painter.stopwatch.measure(Stage.READ):
            seen = await asyncio.to_thread(from_png, file)
        if seen != self._last:
            raise CaptureDoubtError("Chromium's memory holds another picture than it draws")
        return self._last

    async def _copy(self) -> Picture:
        self._reads += 1
        buffer = self._buffers[self._reads % _BUFFERS]
        framebuffer = self._framebuffer
        with self._painter.stopwatch.measure(Stage.READ):
            try:
                await asyncio.to_thread(framebuffer.read_into, buffer)
            except OSError as error:
                await self._painter.evaluate("0")  # a browser that is gone says so here
                raise CaptureDoubtError(f"Chromium's memory cannot be read: {error}") from error
        return Picture(
            width_px=framebuffer.width_px, height_px=framebuffer.height_px, pixels=buffer
        )
