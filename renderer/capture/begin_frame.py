"""The viewport, or the box of one element in it, as Chromium's BeginFrame draws it. Lossless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renderer.encode.pictures import PictureStream

from .target import Target

if TYPE_CHECKING:
    from renderer.picture import Picture
    from renderer.settings import RenderSettings

    from .base import Stage
    from .readers import Reader


class BeginFrameCapture:
    """The picture that BeginFrame draws, or what it shows of one element."""

    def __init__(self, stage: Stage, settings: RenderSettings, reader: Reader) -> None:
        self._stage = stage
        self._reader = reader
        self._size_px = settings.picture_size_px
        self._target = Target(stage.evaluate, settings) if settings.target_selector else None

    @property
    def name(self) -> str:
        return self._reader.name

    @property
    def why(self) -> str:
        return self._reader.why

    @property
    def pictures(self) -> PictureStream:
        size_px = self._size_px if self._target is None else self._target.size_px
        return PictureStream(width_px=size_px[0], height_px=size_px[1])

    async def skip(self, frame: int) -> None:
        await self._stage.seek(frame)
        await self._stage.pass_by()
        self._reader.miss()
        await self._begin(frame)

    async def approach(self, frame: int) -> None:
        await self._stage.seek(frame)
        await self._reader.paint()
        await self._begin(frame)

    async def capture(self, frame: int) -> Picture:
        await self._stage.seek(frame)
        picture = await self._reader.read()
        await self._begin(frame)
        return picture if self._target is None else await self._target.cut(frame, picture)

    async def _begin(self, frame: int) -> None:
        if self._target is not None and frame == 0:
            await self._target.begin()
