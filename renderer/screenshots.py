"""Frames of a Chromium that draws whenever it likes: what a screenshot shows of a page at rest.

Its own frames go on all the time, and mean nothing: animation callbacks are ours to run, and all
animations stand still but for us. Timers and clocks are those of virtual time, as everywhere.
"""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from .clock import clock_script, preload_script
from .drawing import Drawing, Drawn

if TYPE_CHECKING:
    from .page import Page
    from .settings import RenderSettings

# Chromium holds a frame back until virtual time has come to where real time was when the frame was
# due. Virtual time mostly stands still: unless it is far ahead, the next frame takes for ever.
_HEAD_START_US: Final = 24 * 3600 * 1_000_000

_FRAMES: Final = "window[Symbol.for('framefarm.frames')]"


def time_scripts(settings: RenderSettings, drawing: Drawing) -> tuple[str, ...]:
    """Return the scripts that take over the time of a document, to run before all others."""
    if drawing is Drawing.BEGIN_FRAME:
        return (preload_script(settings),)
    frames, frozen = _page_half("screenshots"), _page_half("frozen")
    return f"({frames})()", clock_script(settings), f"({frozen})()"


def head_start_us(drawing: Drawing) -> int:
    """Return how far virtual time is to be ahead of real time."""
    return 0 if drawing is Drawing.BEGIN_FRAME else _HEAD_START_US


class Screenshots:
    """Draws a page's frames."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def start(self, settings: RenderSettings) -> None:
        """Hold the page's animations, and give it its size. To be called on an empty page."""
        cdp = self._page.cdp
        await cdp.call("Animation.enable")
        await cdp.call("Animation.setPlaybackRate", {"playbackRate": 0})
        await cdp.call(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": settings.width_px,
                "height": settings.height_px,
                "deviceScaleFactor": settings.device_scale_factor,
                "mobile": False,
            },
        )

    async def play(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Play a frame: the browser paints it or not."""
        del ticks_ms, interval_ms
        await self._page.evaluate_everywhere(f"{_FRAMES}?.join()", timeout_s=timeout_s)
        await self._page.evaluate(f"{_FRAMES}.step()", timeout_s=timeout_s)
        return Drawn(has_damage=True)

    async def draw(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        return await self.play(ticks_ms, interval_ms, timeout_s=timeout_s)

    async def draw_picture(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Play a frame and return it as a PNG file."""
        await self.play(ticks_ms, interval_ms, timeout_s=timeout_s)
        return Drawn(has_damage=True, png=await self.picture_now(timeout_s=timeout_s))

    async def picture_now(self, *, timeout_s: float) -> bytes:
        """Return what the page shows as a PNG file."""
        reply = await self._page.cdp.call(
            "Page.captureScreenshot",
            {"format": "png", "optimizeForSpeed": True, "captureBeyondViewport": False},
            timeout_s=timeout_s,
        )
        return base64.b64decode(reply["data"])


@cache
def _page_half(name: str) -> str:
    text = files("renderer").joinpath(f"{name}.js").read_text(encoding="utf-8")
    return text[text.index("() =>") :].rstrip()
