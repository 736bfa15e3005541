"""The last picture, remembered: a chunk ends with the one that its successor begins with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renderer.encode.pictures import PictureStream
    from renderer.picture import Picture

    from .base import CaptureStrategy


class RememberingCapture:
    """What another strategy does; the picture that it took last can be had again."""

    def __init__(self, inner: CaptureStrategy) -> None:
        self._inner = inner
        self._last: tuple[int, Picture] | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def why(self) -> str:
        return self._inner.why

    @property
    def pictures(self) -> PictureStream:
        return self._inner.pictures

    @property
    def last_frame(self) -> int | None:
        """The frame whose picture is remembered."""
        return self._last[0] if self._last else None

    async def skip(self, frame: int) -> None:
        self._last = None
        await self._inner.skip(frame)

    async def approach(self, frame: int) -> None:
        self._last = None
        await self._inner.approach(frame)

    async def capture(self, frame: int) -> Picture:
        self._last = None
        picture = await self._inner.capture(frame)
        self._last = frame, picture
        return picture

    def recall(self, frame: int) -> Picture | None:
        """The picture of the frame, if it is the one that is remembered. It is no repeat."""
        if self._last is None or self._last[0] != frame:
            return None
        return replace(self._last[1], is_repeat=False)
