"""Each codec in each container, in one piece and in chunks, with alpha and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coordinator.assembler import assemble
from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.check import check_pictures
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.codecs import CODECS
from renderer.encode.ffmpeg import PictureStream
from renderer.encode.probe import probe
from renderer.frames import FrameRange, FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from tests.support.chunks import FFMPEG, FFPROBE, encode
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pictures import numbered_picture

WIDTH_PX, HEIGHT_PX = 400, 128
RATE = FrameRate(30000, 1001)
FIRST = 90
VIDEOS = [
    (codec, container)
    for codec, facts in CODECS.items()
    for container in facts.containers
    if container not in {Container.WEBP, Container.ZIP, Container.PNG, Container.JPG}
]
QUICK = {
    Codec.H264: "ultrafast", Codec.H265: "ultrafast", Codec.VP8: "5", Codec.VP9: "5",
    Codec.AV1: "12",
}  # fmt: skip


def settings_of(codec: Codec, container: Container | None = None, **more: Any) -> RenderSettings:
    return RenderSettings(
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        frame_rate=RATE,
        codec=codec,
        container=container,
        preset=QUICK.get(codec, ""),
        **more,
    )


def picture(number: int, *, is_open: bool = False) -> Picture:
    """A numbered picture whose lower half is open, but for a bar that is half so."""
    drawn = numbered_picture(number, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    if not is_open:
        return drawn
    pixels = bytearray(drawn.pixels)
    for row in range(64, HEIGHT_PX):
        for column in range(WIDTH_PX):
            at = (row * WIDTH_PX + column) * 4
            pixels[at : at + 4] = (0, 0, 200, 128) if 100 <= column < 200 else bytes(4)
    return Picture(width_px=WIDTH_PX, height_px=HEIGHT_PX, pixels=pixels)


async def made(
    folder: Path, settings: RenderSettings, lengths: list[int], *, is_open: bool = False
) -> Path:
    """A finished file of chunks of these lengths."""
    folder.mkdir()
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    chunks, start = [], FIRST
    for length in lengths:
        frames = FrameRange(start, start + length)
        pictures = [picture(number, is_open=is_open) for number in frames]
        path = await encode(pictures, folder / f"chunk-{start}", settings, stream)
        chunks.append(ChunkFile(path=path, frames=frames))
        start += length
    assembly = Assembly(
        chunks=tuple(chunks), settings=settings, width_px=WIDTH_PX, height_px=HEIGHT_PX
    )
    await assemble(assembly, folder / "out", ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return folder / "out"


@pytest.mark.parametrize(("codec", "container"), VIDEOS)
async def test_every_codec_holds_all_frames_in_every_container(
    codec: Codec, container: Container, tmp_path: Path
) -> None:
    settings = settings_of(codec, container)

    video = await made(tmp_path / "chunks", settings, [4, 1, 3])

    facts = await probe(FFPROBE, video)
    check_pictures(facts, frames=8, settings=settings, size_px=(WIDTH_PX, HEIGHT_PX))
    assert decode_frame_numbers(video) == list(range(FIRST, FIRST + 8))
