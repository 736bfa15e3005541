"""The floor of a page: what its frames cost when they are painted and encoded, and never read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .encode.feed import feeding
from .encode.ffmpeg import encoding
from .errors import InvalidRequestError, Violation
from .events import FramesDone

if TYPE_CHECKING:
    from pathlib import Path

    from .capture.base import CaptureStrategy
    from .encode.pictures import PictureStream
    from .events import OnRenderEvent
    from .frames import FrameRange
    from .picture import Picture
    from .session import Session
    from .settings import RenderSettings

OpenStage = Callable[[], AbstractAsyncContextManager["tuple[Session, CaptureStrategy]"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Whose floor is measured, and with what; the encoder's file at `output` is thrown away."""

    frames: FrameRange
    settings: RenderSettings
    ffmpeg: Path
    output: Path


async def measure_floor(open_stage: OpenStage, ground: Ground, on_event: OnRenderEvent) -> None:
    """Paint frames without reading them, and encode the same ones from memory meanwhile.

    The frames begin at 0; they are captured first, in a session of their own, and kept, so there
    must not be too many. `on_event` is told of those that are then painted and encoded.

    Raises:
        RenderError: the page cannot be filmed.

    """
    if ground.frames.start:
        raise InvalidRequestError([Violation("frames", "a floor is measured from frame 0 on")])
    async with open_stage() as (_, capture):
        kept = [(await capture.capture(frame)).kept() for frame in ground.frames]
        pictures = capture.pictures
    async with open_stage() as (session, _):
        try:
            await _paint_and_encode(session, kept, pictures, ground, on_event)
        finally:
            ground.output.unlink(missing_ok=True)


async def _paint_and_encode(
    session: Session,
    kept: list[Picture],
    pictures: PictureStream,
    ground: Ground,
    on_event: OnRenderEvent,
) -> None:
    async with encoding(
        ground.ffmpeg, pictures, ground.settings, ground.output, frames=ground.frames
    ) as encoder:
        async with feeding(encoder) as feed:
            for frame, picture in zip(ground.frames, kept, strict=True):
                await session.seek(frame)
                await session.draw()
                await feed.put(picture)
                on_event(FramesDone(frame + 1))
        await encoder.finish()
