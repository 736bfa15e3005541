"""One canvas of the page, in its own bitmap's size, wherever and however the page shows it."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any, Final

from renderer.encode.pictures import PictureStream
from renderer.errors import CompositionError, Fault, FrameStalledError
from renderer.picture import from_png

from . import scripts

if TYPE_CHECKING:
    from renderer.picture import Picture

    from .base import Stage

_READER: Final = "window[Symbol.for('framefarm.canvas')]"


class CanvasCapture:
    """Reads the canvas in the last animation frame callback of each frame."""

    name = "canvas-png"

    def __init__(self, stage: Stage, selector: str) -> None:
        self._stage = stage
        self._selector = selector or "canvas"
        self._size_px: tuple[int, int] | None = None

    @property
    def pictures(self) -> PictureStream:
        assert self._size_px is not None
        width_px, height_px = self._size_px
        return PictureStream(width_px=width_px, height_px=height_px)

    async def skip(self, frame: int) -> None:
        await self._play(frame, reading="false")

    async def approach(self, frame: int) -> None:
        await self.skip(frame)  # a canvas does not depend on how the page around it is painted

    async def capture(self, frame: int) -> Picture:
        outcome = await self._play(frame, reading="true")
        if "picture" not in outcome:
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"canvas {self._selector!r} has {_size(outcome)} px in frame {frame}; "
                "give it a width and a height",
            )
        return await asyncio.to_thread(from_png, base64.b64decode(outcome["picture"]))

    async def _play(self, frame: int, *, reading: str) -> dict[str, Any]:
        await self._stage.seek(frame)
        if frame == 0:
            find, selector = scripts.source("find"), scripts.literal(self._selector)
            await self._stage.evaluate(scripts.call("canvas", find, selector))
        # Frame 0 is read, wanted or not: what cannot be read is known in every chunk at once.
        wanted = "true" if frame == 0 else reading
        await self._stage.evaluate(f"{_READER}.request({wanted})")
        await self._stage.play()
        outcome = await self._stage.evaluate(f"{_READER}.take()")
        self._check(outcome, frame)
        return dict(outcome)

    def _check(self, outcome: dict[str, Any] | None, frame: int) -> None:
        if outcome is None:
            raise FrameStalledError(f"the page ran no animation frame callback in frame {frame}")
        if absent := outcome.get("absent"):
            raise CompositionError(
                Fault.CANVAS_NOT_FOUND,
                f"canvas {self._selector!r} is not there in frame {frame}: {absent}",
            )
        if tainted := outcome.get("tainted"):
            raise CompositionError(
                Fault.CANVAS_UNREADABLE,
                f"canvas {self._selector!r} shows pictures of another origin, which no page may "
                "read; put them into the bundle, or serve them with CORS headers and set "
                f"crossOrigin on them ({tainted})",
            )
        size_px = (outcome["width"], outcome["height"])
        if self._size_px not in (None, size_px):
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"canvas {self._selector!r} changes to {_size(outcome)} px in frame {frame}, from "
                f"{'x'.join(map(str, self._size_px or ()))} px; a video keeps its size: "
                "size the canvas once, before frame 0",
            )
        self._size_px = size_px


def _size(outcome: dict[str, Any]) -> str:
    return f"{outcome['width']}x{outcome['height']}"
