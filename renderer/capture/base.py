"""CaptureStrategy: one way of turning the page, as it stands in a frame, into pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from renderer.encode.pictures import PictureStream
    from renderer.picture import Picture
    from renderer.timings import Stopwatch


class CaptureStrategy(Protocol):
    """Plays each frame once and in order, from frame 0."""

    @property
    def name(self) -> str:
        """What a benchmark calls it."""
        ...

    @property
    def why(self) -> str:
        """Why its pictures come as they come and no better way; "" if there is none."""
        ...

    async def skip(self, frame: int) -> None:
        """Play a frame that nobody wants to see, as fast as can be."""
        ...

    async def approach(self, frame: int) -> None:
        """Play one of the last frames before the first picture, so that this is exact."""
        ...

    async def capture(self, frame: int) -> Picture:
        """Play a frame and return its picture, good until the second one after it is taken."""
        ...

    @property
    def pictures(self) -> PictureStream:
        """What the pictures are like. Known once frame 0 was played.

        Raises:
            CompositionError: such pictures cannot become a video.

        """
        ...


class Painter(Protocol):
    """What reading pixels asks of the session."""

    @property
    def stopwatch(self) -> Stopwatch: ...

    async def draw(self) -> bool:
        """Paint the frame; return whether any pixel has changed."""
        ...

    async def draw_picture(self) -> bytes:
        """Paint the frame and return it as a PNG file."""
        ...

    async def evaluate(self, expression: str) -> Any: ...


class Stage(Painter, Protocol):
    """What a strategy asks of the session."""

    async def seek(self, frame: int) -> None: ...

    async def play(self) -> None: ...

    async def pass_by(self) -> None:
        """Play a frame that nobody wants to see, and paint it if later ones go by that."""
        ...
