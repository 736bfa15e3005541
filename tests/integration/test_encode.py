"""Pictures through a real ffmpeg: frames, times, bytes and colours of a chunk."""

from __future__ import annotations

import os
import random
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renderer.encode.check import check_chunk
from renderer.encode.codec_facts import Codec
from renderer.encode.ffmpeg import PictureStream
from renderer.encode.probe import ColorTags, probe
from renderer.errors import CompositionError, EncoderError, Fault
from renderer.frames import FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from tests.support.chunks import FFPROBE, chunk_settings, encode
from tests.support.frame_numbers import decode_frame_numbers, decoded_yuv
from tests.support.pictures import numbered_picture, of_image, plain_picture

RATES = ["24", "25", "30", "30000/1001", "24000/1001", "60", "60000/1001", "25/2"]


@pytest.mark.parametrize("rate", [*RATES, "1/2", "240", "999983/33331", "999999/1000000"])
async def test_a_chunk_holds_each_frame_once_at_its_exact_time(rate: str, tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate.parse(rate))
    numbers = list(range(9000, 9011))

    chunk = await encode([numbered_picture(n) for n in numbers], tmp_path / "c.mp4", settings)

    facts = await probe(FFPROBE, chunk)
    check_chunk(facts, frames=11, settings=settings, size_px=(400, 64))
    assert facts.step * facts.time_base == 1 / Fraction(rate)
    assert decode_frame_numbers(chunk) == numbers


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
async def test_a_very_short_chunk_is_as_long_as_its_frames(frames: int, tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate(30000, 1001))

    chunk = await encode([numbered_picture(n) for n in range(frames)], tmp_path / "c", settings)

    facts = await probe(FFPROBE, chunk)
    assert (facts.frames, facts.duration_s) == (frames, Fraction(1001 * frames, 30000))


async def test_the_same_pictures_and_settings_give_the_same_bytes(tmp_path: Path) -> None:
    settings = chunk_settings(preset="fast")
    pictures = [_noise(seed) for seed in range(24)]

    first = await encode(pictures, tmp_path / "one.mp4", settings)
    second = await encode(pictures, tmp_path / "another name.mp4", settings)

    assert first.read_bytes() == second.read_bytes()


async def test_the_bytes_do_not_depend_on_the_number_of_processors(tmp_path: Path) -> None:
    settings = chunk_settings(preset="fast")
    pictures = [_noise(seed) for seed in range(24)]
    everywhere = await encode(pictures, tmp_path / "all.mp4", settings)
    processors = os.sched_getaffinity(0)

    os.sched_setaffinity(0, {min(processors)})  # ffmpeg inherits it and counts one processor
    try:
        alone = await encode(pictures, tmp_path / "one.mp4", settings)
    finally:
        os.sched_setaffinity(0, processors)

    assert alone.read_bytes() == everywhere.read_bytes()


async def test_a_chunk_begins_with_a_key_frame_and_has_one_every_gop(tmp_path: Path) -> None:
    settings = chunk_settings(gop_frames=8)

    chunk = await encode([numbered_picture(n) for n in range(20)], tmp_path / "c.mp4", settings)

    keys = [index for index, flags in enumerate(_packet_flags(chunk)) if "K" in flags]
    assert keys == [0, 8, 16]


# By hand: Y = 16 + 219·(0.2126 R + 0.7152 G + 0.0722 B), Cb = 128 + 224·(B − Y')/1.8556,
# Cr = 128 + 224·(R − Y')/1.5748 (ITU-R BT.709, 8 bits, limited range).
@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
    ],
)
async def test_colours_are_bt709_in_limited_range_and_tagged_so(
    rgb: tuple[int, int, int], yuv: tuple[int, int, int], tmp_path: Path
) -> None:
    settings = chunk_settings(width_px=64, crf=1)

    chunk = await encode([plain_picture(rgb)], tmp_path / "c.mp4", settings)

    (planes,) = decoded_yuv(chunk)
    for plane, wanted in zip(planes, yuv, strict=True):
        assert int(plane.min()) >= wanted - 1
        assert int(plane.max()) <= wanted + 1
    assert (await probe(FFPROBE, chunk)).colors == ColorTags()


async def test_pictures_with_and_without_alpha_may_follow_each_other(tmp_path: Path) -> None:
    modes = ["RGB", "RGBA", "RGBA", "RGB", "RGBA", "RGB", "RGB"]
    pictures = [numbered_picture(n, mode=mode) for n, mode in enumerate(modes)]

    chunk = await encode(pictures, tmp_path / "c.mp4", chunk_settings())

    assert decode_frame_numbers(chunk) == list(range(7))


@pytest.mark.parametrize(
    ("width_px", "height_px", "codec", "remedy"),
    [
        (41, 22, Codec.H264, "h264 is yuv420p here, which needs even sides; make it 42x22 px"),
        (40, 21, Codec.VP9, "vp9 is yuv420p here, which needs even sides; make it 40x22 px"),
        (
            301,
            121,
            Codec.DNXHR,
            "dnxhr is yuv422p here, which needs an even width; make it 302x121",
        ),
        (0, 21, Codec.PNG, "png is rgb24 here, which needs sides of 2 and more; make it 2x21 px"),
    ],
)
def test_pictures_of_odd_or_no_size_are_refused(
    width_px: int, height_px: int, codec: Codec, remedy: str
) -> None:
    pictures = PictureStream(width_px=width_px, height_px=height_px)

    with pytest.raises(CompositionError, match=f"{width_px}x{height_px} px cannot be") as refused:
        pictures.check(RenderSettings(codec=codec))

    assert remedy in str(refused.value)
    assert "or use one of prores4444, ffv1, gif, apng, webp, png or jpeg" in str(refused.value)

    assert refused.value.fault is Fault.PICTURE_SIZE


async def test_each_difference_from_what_was_asked_for_is_named(tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate(25))
    chunk = await encode([numbered_picture(n) for n in range(3)], tmp_path / "c.mp4", settings)
    facts = await probe(FFPROBE, chunk)

    with pytest.raises(EncoderError) as refused:
        check_chunk(facts, frames=4, settings=chunk_settings(), size_px=(400, 66))

    for words in ("height_px is 64, not 66", "frames is 3, not 4", "frame_rate is 25, not 30"):
        assert words in str(refused.value)
    assert "width_px" not in str(refused.value)


async def test_a_file_without_video_is_no_chunk(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")

    with pytest.raises(EncoderError, match=r"broken\.mp4"):
        await probe(FFPROBE, broken)


def _noise(seed: int) -> Picture:
    values = np.frombuffer(random.Random(seed).randbytes(400 * 64 * 3), np.uint8)
    return of_image(Image.fromarray(values.reshape(64, 400, 3)))


def _packet_flags(video: Path) -> list[str]:
    what = ["-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0"]
    found = subprocess.run(
        ["ffprobe", "-v", "error", *what, str(video)], check=True, capture_output=True, text=True
    )
    return found.stdout.split()
