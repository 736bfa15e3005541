"""When a frame is read out of the browser's memory, when not, and when that is doubted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from renderer.capture.framebuffer import Framebuffer
from renderer.capture.readers import FramebufferReader
from renderer.errors import BrowserLostError, CaptureDoubtError
from renderer.picture import Picture
from renderer.timings import Stopwatch


@dataclass
class FakePainter:
    """Paints `color`; a frame changes something if that has changed."""

    color: int = 0
    painted: int | None = None
    is_gone: bool = False
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    async def draw(self) -> bool:
        has_damage, self.painted = self.painted != self.color, self.color
        return has_damage

    async def draw_picture(self) -> bytes:
        self.painted = self.color
        return Picture(width_px=1, height_px=1, pixels=bytes([self.color] * 4)).png()

    async def evaluate(self, expression: str) -> Any:
        if self.is_gone:
            raise BrowserLostError("Chromium closed the connection")


@dataclass
class FakeFramebuffer:
    """Holds what was painted, or `instead` of it."""

    painter: FakePainter
    width_px: int = 1
    height_px: int = 1
    size_bytes: int = 4
    reads: int = 0
    instead: int | None = None
    error: OSError | None = None

    def read_into(self, buffer: bytearray) -> None:
        self.reads += 1
        if self.error is not None:
            raise self.error
        color = self.painter.painted if self.instead is None else self.instead
        assert color is not None
        buffer[:] = bytes([color] * 4)


def reader_of(painter: FakePainter) -> tuple[FramebufferReader, FakeFramebuffer]:
    framebuffer = FakeFramebuffer(painter)
    return FramebufferReader(painter, cast("Framebuffer", framebuffer)), framebuffer


async def test_a_frame_that_changed_nothing_is_not_read_again() -> None:
    painter = FakePainter()
    reader, framebuffer = reader_of(painter)
    pictures: list[tuple[int, bool]] = []

    for color in (1, 1, 1, 2, 2, 3):
        painter.color = color
        picture = await reader.read()
        pictures.append((picture.pixels[0], picture.is_repeat))

    assert pictures == [(1, False), (1, True), (1, True), (2, False), (2, True), (3, False)]
    assert framebuffer.reads == 3


async def test_a_frame_after_one_that_nobody_saw_is_read() -> None:
    painter = FakePainter(color=1)
    reader, _ = reader_of(painter)
    await reader.read()
    painter.color = 2
    await reader.paint()

    picture = await reader.read()

    assert (picture.pixels[0], picture.is_repeat) == (2, False)


async def test_a_frame_after_one_that_was_not_painted_is_read() -> None:
    reader, framebuffer = reader_of(FakePainter(color=1))
    await reader.read()
    reader.miss()

    picture = await reader.read()

    assert not picture.is_repeat
    assert framebuffer.reads == 2


async def test_a_picture_stays_as_it_is_while_the_next_two_are_read() -> None:
    painter = FakePainter()
    reader, _ = reader_of(painter)
    pictures: list[Picture] = []
    for color in range(1, 8):
        painter.color = color
        pictures.append(await reader.read())

        assert [picture.pixels[0] for picture in pictures[-3:]] == [
            seen for seen in (color - 2, color - 1, color) if seen > 0
        ]


async def test_memory_that_holds_another_picture_is_noticed() -> None:
    painter = FakePainter()
    reader, framebuffer = reader_of(painter)

    with pytest.raises(CaptureDoubtError, match="another picture than it draws"):
        for number in range(1000):
            painter.color = number % 7
            framebuffer.instead = 9 if number > 100 else None
            await reader.read()

    assert framebuffer.reads <= 300


async def test_memory_that_holds_what_is_drawn_is_never_doubted() -> None:
    painter = FakePainter()
    reader, _ = reader_of(painter)

    for number in range(1000):
        painter.color = number % 7
        assert (await reader.read()).pixels[0] == number % 7


async def test_memory_that_cannot_be_read_is_doubted() -> None:
    reader, framebuffer = reader_of(FakePainter(color=1))
    framebuffer.error = PermissionError(1, "Operation not permitted")

    with pytest.raises(CaptureDoubtError, match="cannot be read: .*Operation not permitted"):
        await reader.read()


async def test_a_browser_that_is_gone_is_told_as_that() -> None:
    reader, framebuffer = reader_of(FakePainter(color=1, is_gone=True))
    framebuffer.error = ProcessLookupError(3, "No such process")

    with pytest.raises(BrowserLostError):
        await reader.read()
