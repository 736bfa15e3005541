"""The element that is filmed: where its box stands in a frame, and that part of a picture."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from renderer.backdrop import backdrop_of
from renderer.errors import CompositionError, Fault
from renderer.picture import BYTES_PER_PIXEL, Picture

from . import scripts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from renderer.settings import RenderSettings

    Evaluate = Callable[[str], Awaitable[Any]]

# Layout counts in 1/64 px: an edge that close to a whole pixel is on it.
_EDGE_PX = 1 / 64


class Target:
    """Cuts pictures to an element's box, which has the size of frame 0 for ever.

    It stays where it is in frame 0, or follows the element: by as many whole pixels as the middle
    of that has moved since.
    """

    def __init__(self, evaluate: Evaluate, settings: RenderSettings) -> None:
        self._evaluate = evaluate
        self._viewport = Viewport(*settings.picture_size_px)
        self._scale = settings.device_scale_factor
        self._selector = settings.target_selector
        self._follows = settings.target_follows
        self._fill = backdrop_of(settings).bgra
        self._first: Box | None = None
        self._crop: Crop | None = None
        self._last: tuple[Crop, Picture] | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Known once frame 0 was played."""
        assert self._crop is not None
        return self._crop.width_px, self._crop.height_px

    async def begin(self) -> None:
        """Measure the element in frame 0.

        Raises:
            CompositionError: it is not there, or cannot be filmed.

        """
        self._first = box = await self._box(0)
        try:
            self._crop = crop_of(box, self._viewport, may_leave=self._follows)
        except ValueError as error:
            raise self._error(str(error)) from error

    async def cut(self, frame: int, picture: Picture) -> Picture:
        """Return what the picture of a frame shows of the element. It is good for ever.

        Raises:
            CompositionError: it is followed, and not there.

        """
        crop = self._crop
        assert crop is not None
        assert self._first is not None
        if self._follows and frame:
            crop = moved(crop, self._first, await self._box(frame))
        if picture.is_repeat and self._last is not None and self._last[0] == crop:
            return replace(self._last[1], is_repeat=True)
        shown = await asyncio.to_thread(cut_out, picture, crop, self._fill)
        self._last = crop, shown
        return shown

    async def _box(self, frame: int) -> Box:
        find = scripts.source("find")
        box = await self._evaluate(scripts.call("box", find, scripts.literal(self._selector)))
        if problem := box.get("problem"):
            raise self._error(f"{problem} in frame {frame}")
        return Box(**{edge: css_px * self._scale for edge, css_px in box.items()})

    def _error(self, problem: str) -> CompositionError:
        return CompositionError(
            Fault.TARGET_NOT_FOUND,
            f"target_selector {self._selector!r} cannot be filmed: {problem}",
        )


@dataclass(frozen=True, slots=True)
class Viewport:
    """The page's size in pixels of the picture."""

    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Box:
    """An element's edges in the viewport, in pixels of the picture."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A part of a picture, in its pixels. What is outside of the picture is filled."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int


def crop_of(box: Box, viewport: Viewport, *, may_leave: bool = False) -> Crop:
    """Return the whole pixels that an element touches, one more where a side would be odd.

    Raises:
        ValueError: it is empty, or not inside the viewport, which only some may leave.

    """
    if box.right <= box.left or box.bottom <= box.top:
        raise ValueError("it is empty in frame 0")
    left, right = _whole_px(box.left, box.right)
    top, bottom = _whole_px(box.top, box.bottom)
    is_inside = min(left, top) >= 0 and right <= viewport.width_px and bottom <= viewport.height_px
    if not is_inside and not may_leave:
        raise ValueError(
            f"it stands at x {left}…{right}, y {top}…{bottom} in frame 0, and the viewport has "
            f"{viewport.width_px}x{viewport.height_px} px; move it inside, enlarge that, or follow "
            "it with target_follows, which fills what is outside"
        )
    left, right = _even(left, right, viewport.width_px)
    top, bottom = _even(top, bottom, viewport.height_px)
    return Crop(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)


def moved(crop: Crop, first: Box, now: Box) -> Crop:
    """Return the crop where its element is now, by that one's middle; halves are rounded up."""
    x_px = _nearest((now.left + now.right - first.left - first.right) / 2)
    y_px = _nearest((now.top + now.bottom - first.top - first.bottom) / 2)
    return replace(crop, x_px=crop.x_px + x_px, y_px=crop.y_px + y_px)


def cut_out(picture: Picture, crop: Crop, fill: bytes) -> Picture:
    """Copy a part of a picture; `fill` is the pixel that stands where there is no picture."""
    left, right = max(crop.x_px, 0), min(crop.x_px + crop.width_px, picture.width_px)
    top, bottom = max(crop.y_px, 0), min(crop.y_px + crop.height_px, picture.height_px)
    stride = crop.width_px * BYTES_PER_PIXEL
    is_whole = right - left == crop.width_px and bottom - top == crop.height_px
    cut = bytearray(stride * crop.height_px)
    if not is_whole:
        cut[:] = fill * (crop.width_px * crop.height_px)
    if left < right:
        pixels, length = memoryview(picture.pixels), (right - left) * BYTES_PER_PIXEL
        to = (top - crop.y_px) * stride + (left - crop.x_px) * BYTES_PER_PIXEL
        for row in range(top, bottom):
            start = (row * picture.width_px + left) * BYTES_PER_PIXEL
            cut[to : to + length] = pixels[start : start + length]
            to += stride
    return Picture(width_px=crop.width_px, height_px=crop.height_px, pixels=cut)


def _nearest(distance_px: float) -> int:
    # As in layout: what is that close to a half is one.
    return math.floor(distance_px + 0.5 + _EDGE_PX / 2)


def _whole_px(start: float, stop: float) -> tuple[int, int]:
    first, last = math.floor(start + _EDGE_PX), math.ceil(stop - _EDGE_PX)
    return first, max(last, first + 1)


def _even(start: int, stop: int, limit: int) -> tuple[int, int]:
    """An odd side inside the viewport has room for one more, but where that one is odd itself."""
    if (stop - start) % 2 == 0 or stop - start == limit:
        return start, stop
    return (start - 1, stop) if stop == limit else (start, stop + 1)
