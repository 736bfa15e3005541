"""The viewport, or the box of one element in it, as Chromium's BeginFrame draws it. Lossless."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renderer.encode.pictures import Crop, PictureStream
from renderer.errors import CompositionError, Fault

from . import scripts

if TYPE_CHECKING:
    from renderer.picture import Picture
    from renderer.settings import RenderSettings

    from .base import Stage
    from .readers import Reader

# Layout counts in 1/64 px: an edge that close to a whole pixel is on it.
_EDGE_PX = 1 / 64


class BeginFrameCapture:
    """The picture that BeginFrame draws. ffmpeg cuts the element's box out of it."""

    def __init__(self, stage: Stage, settings: RenderSettings, reader: Reader) -> None:
        self._stage = stage
        self._reader = reader
        self._viewport = Viewport(*settings.picture_size_px)
        self._scale = settings.device_scale_factor
        self._selector = settings.target_selector
        self._crop: Crop | None = None

    @property
    def name(self) -> str:
        return self._reader.name

    @property
    def why(self) -> str:
        return self._reader.why

    @property
    def pictures(self) -> PictureStream:
        return PictureStream(
            width_px=self._viewport.width_px, height_px=self._viewport.height_px, crop=self._crop
        )

    async def skip(self, frame: int) -> None:
        await self._stage.seek(frame)
        await self._stage.pass_by()
        self._reader.miss()
        await self._measure(frame)

    async def approach(self, frame: int) -> None:
        await self._stage.seek(frame)
        await self._reader.paint()
        await self._measure(frame)

    async def capture(self, frame: int) -> Picture:
        await self._stage.seek(frame)
        picture = await self._reader.read()
        await self._measure(frame)
        return picture

    async def _measure(self, frame: int) -> None:
        """The box stays as it is in frame 0, in every chunk."""
        if frame or not self._selector:
            return
        find = scripts.source("find")
        box = await self._stage.evaluate(scripts.call("box", find, scripts.literal(self._selector)))
        if problem := box.get("problem"):
            raise _target_error(self._selector, problem)
        try:
            edges = {edge: css_px * self._scale for edge, css_px in box.items()}
            self._crop = crop_of(Box(**edges), self._viewport)
        except ValueError as error:
            raise _target_error(self._selector, str(error)) from error


@dataclass(frozen=True, slots=True)
class Viewport:
    """The page's size in pixels of the picture, of even sides."""

    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Box:
    """An element's edges in the viewport, in pixels of the picture."""

    left: float
    top: float
    right: float
    bottom: float


def crop_of(box: Box, viewport: Viewport) -> Crop:
    """Return the whole pixels that an element touches, one more where a side would be odd.

    Raises:
        ValueError: it is empty, or not inside the viewport.

    """
    if box.right <= box.left or box.bottom <= box.top:
        raise ValueError("it is empty in frame 0")
    left, right = _whole_px(box.left, box.right)
    top, bottom = _whole_px(box.top, box.bottom)
    if min(left, top) < 0 or right > viewport.width_px or bottom > viewport.height_px:
        raise ValueError(
            f"it stands at x {left}…{right}, y {top}…{bottom} in frame 0, and the viewport has "
            f"{viewport.width_px}x{viewport.height_px} px; move it inside or enlarge that"
        )
    left, right = _even(left, right, viewport.width_px)
    top, bottom = _even(top, bottom, viewport.height_px)
    return Crop(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)


def _whole_px(start: float, stop: float) -> tuple[int, int]:
    first, last = math.floor(start + _EDGE_PX), math.ceil(stop - _EDGE_PX)
    return first, max(last, first + 1)


def _even(start: int, stop: int, limit: int) -> tuple[int, int]:
    """An odd side is shorter than the viewport's even one: there is room on one side."""
    if (stop - start) % 2 == 0:
        return start, stop
    return (start, stop + 1) if stop < limit else (start - 1, stop)


def _target_error(selector: str, problem: str) -> CompositionError:
    return CompositionError(
        Fault.TARGET_NOT_FOUND, f"target_selector {selector!r} cannot be filmed: {problem}"
    )
