"""One canvas of the page, in its own bitmap's size, wherever and however the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.encode.pictures import PictureStream
from renderer.errors import CompositionError, Fault, FrameStalledError
from renderer.timings import Stage as Timed

from . import scripts
from .carriers import READER, Carrier, open_carrier

if TYPE_CHECKING:
    from renderer.picture import Picture

    from .base import Stage


class CanvasCapture:
    """Reads the canvas in the last animation frame callback of each frame.

    `browser_pid` is the process whose children's memory may be read; None forbids that.
    """

    def __init__(self, stage: Stage, selector: str, browser_pid: int | None) -> None:
        self._stage = stage
        self._selector = selector or "canvas"
        self._browser_pid = browser_pid
        self._size_px: tuple[int, int] | None = None
        self._carrier: Carrier | None = None
        self.why = ""

    @property
    def name(self) -> str:
        return self._carrier.name if self._carrier is not None else "canvas"

    @property
    def pictures(self) -> PictureStream:
        assert self._size_px is not None
        width_px, height_px = self._size_px
        return PictureStream(width_px=width_px, height_px=height_px)

    async def skip(self, frame: int) -> None:
        await self._play(frame, is_wanted=False)

    async def approach(self, frame: int) -> None:
        await self.skip(frame)  # a canvas does not depend on how the page around it is painted

    async def capture(self, frame: int) -> Picture:
        await self._play(frame, is_wanted=True)
        with self._stage.stopwatch.measure(Timed.READ):
            if self._carrier is None:
                self._check(await self._take(""), frame)
                self._carrier = await self._open_carrier(frame)
            outcome = await self._take(self._carrier.call(frame))
            self._check(outcome, frame)
            return await self._carrier.picture(frame, outcome)

    async def _play(self, frame: int, *, is_wanted: bool) -> None:
        await self._stage.seek(frame)
        if frame == 0:
            await self._stage.evaluate(f"{READER}.aim({scripts.literal(self._selector)})")
        # Frame 0 is read, wanted or not: what cannot be read is known in every chunk at once.
        request = "true" if is_wanted or frame == 0 else "false"
        await self._stage.evaluate(f"{READER}.request({request})")
        await self._stage.play()
        if not is_wanted:
            self._check(await self._take(""), frame)

    async def _take(self, carry: str) -> dict[str, Any]:
        return dict(await self._stage.evaluate(f"{READER}.take({carry})"))

    async def _open_carrier(self, frame: int) -> Carrier:
        assert self._size_px is not None
        if 0 in self._size_px:
            raise CompositionError(
                Fault.PICTURE_SIZE,
                f"canvas {self._selector!r} has {_told(self._size_px)} px in frame {frame}; "
                "give it a width and a height",
            )
        carrier, self.why = await open_carrier(
            self._stage.evaluate, self._browser_pid, self._size_px
        )
        return carrier

    def _check(self, outcome: dict[str, Any], frame: int) -> None:
        if not outcome:
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
                f"canvas {self._selector!r} changes to {_told(size_px)} px in frame {frame}, from "
                f"{_told(self._size_px or ())} px; a video keeps its size: "
                "size the canvas once, before frame 0",
            )
        self._size_px = size_px


def _told(size_px: tuple[int, ...]) -> str:
    return "x".join(map(str, size_px))
