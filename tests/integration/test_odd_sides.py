"""Pictures with odd sides, where all colours are kept; and GIFs that are open in places."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageSequence

from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.ffmpeg import PictureStream
from renderer.encode.probe import probe
from renderer.frames import FrameRange
from renderer.picture import Picture
from renderer.settings import RenderSettings
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, encode

WIDTH_PX, HEIGHT_PX = 67, 65
Pixels = npt.NDArray[np.uint8]


def drawn(number: int) -> Pixels:
    """Red, green, blue, alpha: a slope each, and a bar that moves; its lower half may be open."""
    pixels = np.zeros((HEIGHT_PX, WIDTH_PX, 4), np.uint8)
    pixels[:, :, 0] = np.arange(WIDTH_PX) * 3
    pixels[:, :, 1] = np.arange(HEIGHT_PX)[:, None] * 3
    pixels[:, number * 9 : number * 9 + 9, 2] = 200
    pixels[:, :, 3] = 255
    return pixels


def picture(pixels: Pixels) -> Picture:
    bgra = np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3]])
    return Picture(width_px=WIDTH_PX, height_px=HEIGHT_PX, pixels=bgra.tobytes())


async def made(
    folder: Path, settings: RenderSettings, pictures: list[Pixels], cuts: tuple[int, ...]
) -> Path:
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    chunks, start = [], 0
    for stop in (*cuts, len(pictures)):
        part = [picture(each) for each in pictures[start:stop]]
        path = await encode(part, folder / f"{start}", settings, stream)
        chunks.append(ChunkFile(path=path, frames=FrameRange(start, stop)))
        start = stop
    assembly = Assembly(
        chunks=tuple(chunks), settings=settings, width_px=WIDTH_PX, height_px=HEIGHT_PX
    )
    await assemble(assembly, folder / "out", ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return folder / "out"


def shown(video: Path) -> Pixels:
    raw = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", "rgba", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(video), *raw]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(printed, np.uint8).reshape(-1, HEIGHT_PX, WIDTH_PX, 4)


def settings_of(codec: Codec, container: Container, **more: Any) -> RenderSettings:
    return RenderSettings(
        width_px=WIDTH_PX, height_px=HEIGHT_PX, codec=codec, container=container, **more
    )


@pytest.mark.parametrize(
    ("codec", "container", "more", "apart"),
    [
        (Codec.H264, Container.MP4, {"lossless": True}, 0),
        (Codec.H265, Container.MP4, {"lossless": True}, 0),
        (Codec.VP9, Container.WEBM, {"lossless": True}, 0),
        (Codec.FFV1, Container.MKV, {}, 0),
        (Codec.APNG, Container.APNG, {}, 0),
        (Codec.GIF, Container.GIF, {"codec_options": (("dither", "none"),)}, 40),
        (Codec.PRORES_4444, Container.MOV, {}, 12),
        (Codec.PRORES_4444, Container.MOV, {"transparent": True}, 12),
    ],
)
async def test_odd_sides_are_kept(
    codec: Codec, container: Container, more: dict[str, Any], apart: int, tmp_path: Path
) -> None:
    pictures = [drawn(number) for number in range(3)]

    video = await made(tmp_path, settings_of(codec, container, **more), pictures, (2,))

    facts = await probe(FFPROBE, video)
    assert (facts.width_px, facts.height_px, facts.frames) == (WIDTH_PX, HEIGHT_PX, 3)
    difference = np.abs(shown(video).astype(int) - np.stack(pictures).astype(int))
    assert np.percentile(difference, 99.5) <= apart


@pytest.mark.parametrize(
    ("codec", "container", "apart"),
    [
        (Codec.PNG, Container.PNG, 0),
        (Codec.JPEG, Container.JPG, 30),
        (Codec.WEBP, Container.WEBP, 90),  # whose colours have half of the sides
    ],
)
async def test_a_picture_keeps_its_odd_sides(
    codec: Codec, container: Container, apart: int, tmp_path: Path
) -> None:
    file = await made(tmp_path, settings_of(codec, container), [drawn(0)], ())

    with Image.open(file) as image:
        assert image.size == (WIDTH_PX, HEIGHT_PX)
        difference = np.abs(np.asarray(image.convert("RGBA")).astype(int) - drawn(0).astype(int))
    assert np.percentile(difference, 99) <= apart


async def test_a_gif_is_open_where_less_than_half_is_there(tmp_path: Path) -> None:
    pictures = [drawn(number) for number in range(3)]
    for number, pixels in enumerate(pictures):
        pixels[20:30, :, 3] = 0
        pixels[30:40, :, 3] = 127
        pixels[40:50, :, 3] = 128
        pixels[50 + number, :, 3] = 0  # opens, and closes again
    settings = settings_of(Codec.GIF, Container.GIF, transparent=True)

    video = await made(tmp_path, settings, pictures, (1, 2))

    with Image.open(video) as image:
        frames = [np.asarray(each.convert("RGBA")) for each in ImageSequence.Iterator(image)]
    assert len(frames) == 3
    for frame, pixels in zip(frames, pictures, strict=True):
        assert (frame[:, :, 3] == np.where(pixels[:, :, 3] < 128, 0, 255)).all()
        is_there = frame[:, :, 3] == 255
        apart = np.abs(frame[:, :, :3].astype(int) - pixels[:, :, :3].astype(int))[is_there]
        assert apart.mean() < 12
