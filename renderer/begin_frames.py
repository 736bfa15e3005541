"""Frames of the headless shell, which draws when it is told to."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from .cdp import CdpError
from .drawing import Drawn
from .errors import DrawingSilentError, FrameStalledError, MissingToolError
from .liveness import answers

if TYPE_CHECKING:
    import asyncio

    from .cdp import CdpSession

# How soon Chromium is to expect the next frame; with none at all it waits for ever. Animated
# pictures go by it, too: see `renderer/moving.py`.
FRAME_INTERVAL_MS: Final = 1.0
_BEGIN_FRAME: Final = "HeadlessExperimental.beginFrame"
_UNKNOWN: Final = "wasn't found"
_PICTURE: Final = {"format": "png", "optimizeForSpeed": True}


class BeginFrames:
    """Draws a page's frames."""

    def __init__(self, cdp: CdpSession, lock: asyncio.Lock) -> None:
        self._cdp = cdp
        self._lock = lock

    async def play(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Play a frame without painting it: scripts, styles and layout, but no pixels."""
        frame = {"frameTimeTicks": ticks_ms, "interval": interval_ms, "noDisplayUpdates": True}
        return await self._begin_frame(frame, timeout_s=timeout_s)

    async def draw(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame without reading its pixels."""
        frame = {"frameTimeTicks": ticks_ms, "interval": interval_ms}
        return await self._begin_frame(frame, timeout_s=timeout_s)

    async def draw_now(self, *, timeout_s: float) -> Drawn:
        """Paint a frame of the browser's own time: only as long as that is not ours."""
        return await self._begin_frame({"interval": FRAME_INTERVAL_MS}, timeout_s=timeout_s)

    async def picture_now(self, *, timeout_s: float) -> bytes | None:
        """Paint such a frame and return it as a PNG file, if there is a picture yet."""
        frame = {"interval": FRAME_INTERVAL_MS, "screenshot": _PICTURE}
        return (await self._begin_frame(frame, timeout_s=timeout_s)).png

    async def draw_picture(self, ticks_ms: float, interval_ms: float, *, timeout_s: float) -> Drawn:
        """Paint a frame and return it as a PNG file, if there is a picture yet."""
        frame = {"frameTimeTicks": ticks_ms, "interval": interval_ms, "screenshot": _PICTURE}
        return await self._begin_frame(frame, timeout_s=timeout_s)

    async def _begin_frame(self, params: dict[str, Any], *, timeout_s: float) -> Drawn:
        # Two at a time, even in two pages, kill Chromium's GPU process.
        async with self._lock:
            try:
                reply = await self._cdp.call(_BEGIN_FRAME, params, timeout_s=timeout_s)
            except CdpError as error:
                if _UNKNOWN not in str(error):
                    raise
                raise MissingToolError(
                    "this Chromium draws no frame when it is told to, as a headless shell does; "
                    "run `make setup`, or set FRAMEFARM_CAPTURE=screenshot"
                ) from error
            except FrameStalledError as error:
                if await answers(self._cdp):
                    raise DrawingSilentError(timeout_s) from error
                raise
        data = reply.get("screenshotData")
        return Drawn(bool(reply["hasDamage"]), base64.b64decode(data) if data else None)
