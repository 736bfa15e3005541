"""Who decides when Chromium draws a frame: we do, or it does and we ask for a screenshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from .gamut import ColorGamut

if TYPE_CHECKING:
    from pathlib import Path


class Drawing(StrEnum):
    """BEGIN_FRAME is exact in all things, and only the headless shell can do it."""

    BEGIN_FRAME = "begin-frame"
    SCREENSHOT = "screenshot"


@dataclass(frozen=True, slots=True)
class Screen:
    """What a browser draws on: the same for all of its pages."""

    scale: float = 1.0
    gamut: ColorGamut = ColorGamut.SRGB


@dataclass(frozen=True, slots=True)
class Drawn:
    """A frame that was drawn: whether pixels changed, and a PNG file of it where one was wanted.

    Where one is, Chromium always says that pixels changed.
    """

    has_damage: bool
    png: bytes | None = field(default=None, repr=False)


class Frames(Protocol):
    """Draws the frames of a page, by the time that a frame bears and how soon the next one is."""

    async def play(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Play a frame without painting it: scripts, styles and layout, but no pixels."""
        ...

    async def draw(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame without reading its pixels."""
        ...

    async def draw_picture(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame and return it as a PNG file, if there is a picture yet."""
        ...

    async def picture_now(self, *, timeout_s: float) -> bytes | None:
        """The same of the browser's own time: only as long as that is not ours."""
        ...


# What decides pixels and time. The steps of an animation hang BeginFrame unless the compositor
# leaves animations to the main thread; a checkered image would be drawn one frame late; an animated
# one that was not painted for 5 minutes, because time jumped, would begin anew; a tile repainted in
# part keeps edges of what was painted before, which depends on where a chunk begins.
_PIXEL_FLAGS: Final = (
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--disable-checker-imaging",
    "--disable-image-animation-resync",
    "--disable-partial-raster",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
)
_BEGIN_FRAME_FLAGS: Final = (
    "--enable-begin-frame-control",
    "--run-all-compositor-stages-before-draw",
)
# A full Chromium would raster by SwiftShader, slowly and with stale strips, and give frames of
# other sites, and sandboxed ones, processes of their own, out of our reach; the shell does not. The
# last word on features counts, so those of browser.py that matter are said again.
_SCREENSHOT_FLAGS: Final = (
    "--disable-gpu-rasterization",
    "--disable-gpu-compositing",
    "--disable-site-isolation-trials",
    "--disable-features=IsolateSandboxedIframes,PaintHolding,HttpsUpgrades,MediaRouter,Translate",
)


_PROFILES: Final = {ColorGamut.SRGB: "srgb", ColorGamut.P3: "display-p3-d65"}
# Chromium's software compositor knows sRGB alone: what is wider is painted as ever, and put
# together by SwiftShader. Should that crash, it has to come back, and not leave the rest to it.
_WIDE_FLAGS: Final = (
    "--use-angle=swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu-rasterization",
    "--disable-gpu-process-crash-limit",
)
_NOT_WIDE: Final = "--disable-gpu-compositing"

_ROOM_PX: Final = 600


def pixel_flags(drawing: Drawing, gamut: ColorGamut = ColorGamut.SRGB) -> tuple[str, ...]:
    """Return the flags of a Chromium that is to draw so, which belong to the fingerprint."""
    own = _BEGIN_FRAME_FLAGS if drawing is Drawing.BEGIN_FRAME else _SCREENSHOT_FLAGS
    flags = (*own, *_PIXEL_FLAGS, f"--force-color-profile={_PROFILES[gamut]}")
    if gamut is ColorGamut.SRGB:
        return flags
    return (*(flag for flag in flags if flag != _NOT_WIDE), *_WIDE_FLAGS)


def target_window(drawing: Drawing, size_px: tuple[int, int]) -> dict[str, Any]:
    """Return what a page's target is to be made with, for a page of this size."""
    width_px, height_px = size_px
    if drawing is Drawing.BEGIN_FRAME:
        return {"width": width_px, "height": height_px, "enableBeginFrameControl": True}
    # A window may hold bars besides the page: one with no room left for that draws nothing.
    return {"width": max(width_px, _ROOM_PX), "height": max(height_px, _ROOM_PX)}


def drawing_of(chromium: Path) -> Drawing:
    """Tell by a program's name what it can do; the headless shell is called so everywhere."""
    return Drawing.BEGIN_FRAME if "shell" in chromium.name else Drawing.SCREENSHOT
