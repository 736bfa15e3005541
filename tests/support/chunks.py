"""Chunk files made of numbered pictures, by the real encoder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from renderer.encode.ffmpeg import PictureStream, encoding
from renderer.frames import FrameRange, FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from renderer.tools import find_ffmpeg

from .pictures import HEIGHT_PX, WIDTH_PX, numbered_picture

FFMPEG, FFPROBE = find_ffmpeg(os.environ)


def chunk_settings(frame_rate: FrameRate = FrameRate(30), **changes: object) -> RenderSettings:
    """Settings of the small numbered pictures: B-frames as in production, but quick."""
    given = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "preset": "veryfast"} | changes
    return RenderSettings(frame_rate=frame_rate, **given)  # type: ignore[arg-type]


async def encode(
    pictures: Sequence[Picture],
    output: Path,
    settings: RenderSettings,
    stream: PictureStream | None = None,
) -> Path:
    """Encode pictures of the settings' size, or of `stream`'s, into a chunk file."""
    stream = stream or PictureStream(width_px=settings.width_px, height_px=settings.height_px)
    frames = FrameRange(0, len(pictures))
    async with encoding(FFMPEG, stream, settings, output, frames=frames) as encoder:
        for picture in pictures:
            await encoder.write(picture)
        await encoder.finish()
    return output


async def numbered_chunks(
    folder: Path, lengths: Sequence[int], settings: RenderSettings, *, start: int = 0
) -> list[tuple[Path, FrameRange]]:
    """One chunk file for each length, two at a time; the first frame's number is `start`."""
    ranges = [
        FrameRange(start + sum(lengths[:index]), start + sum(lengths[: index + 1]))
        for index in range(len(lengths))
    ]
    slots = asyncio.Semaphore(2)

    async def chunk(index: int, frames: FrameRange) -> Path:
        async with slots:
            pictures = [numbered_picture(number) for number in frames]
            return await encode(pictures, folder / f"{index:04}.mp4", settings)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chunk(*item)) for item in enumerate(ranges)]
    return [(task.result(), frames) for task, frames in zip(tasks, ranges, strict=True)]
