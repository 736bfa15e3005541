"""A picture that repeats the one before is handed over once, and no file shows it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from renderer.encode.check import check_chunk
from renderer.encode.codec_facts import Codec
from renderer.encode.codecs import CODECS
from renderer.encode.pictures import PictureStream
from renderer.encode.probe import probe
from renderer.frames import FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from renderer.subtitles.burning import burned
from renderer.subtitles.reading import read_script
from tests.support.chunks import FFPROBE, encode
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pictures import numbered_picture

WIDTH_PX, HEIGHT_PX = 400, 128
SIZE_PX = (WIDTH_PX, HEIGHT_PX)
NTSC = FrameRate(30000, 1001)
# Frames by the number that they show: one stands for longer than any picture may, the last repeats.
SHOWN = [0] * 20 + [1, 2, 3, 3, 3]
QUICK = {
    Codec.H264: "ultrafast", Codec.H265: "ultrafast", Codec.VP8: "5", Codec.VP9: "5",
    Codec.AV1: "12",
}  # fmt: skip
SUBTITLES = """1
00:00:00,100 --> 00:00:00,300
One

2
00:00:00,400 --> 00:00:00,700
Two
"""


def settings_of(codec: Codec, **more: Any) -> RenderSettings:
    given: dict[str, Any] = {"frame_rate": NTSC, "preset": QUICK.get(codec, "")} | more
    return RenderSettings(width_px=WIDTH_PX, height_px=HEIGHT_PX, codec=codec, **given)


def picture(number: int) -> Picture:
    """A numbered picture with a half open edge."""
    drawn = numbered_picture(number, height_px=HEIGHT_PX)
    edge = bytes((0, 0, 100 + number, 128)) * (WIDTH_PX * 4)
    return replace(drawn, pixels=drawn.pixels[: -len(edge)] + edge)


async def twice(
    folder: Path, settings: RenderSettings, shown: list[int] = SHOWN
) -> tuple[Path, Path]:
    """A chunk for which every picture is handed over, and one without those that repeat."""
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    whole = [picture(number) for number in shown]
    repeats = [False, *(after == before for before, after in pairwise(shown))]
    fewer = [
        replace(each, is_repeat=is_repeat) for each, is_repeat in zip(whole, repeats, strict=True)
    ]
    first = await encode(whole, folder / "all", settings, stream)
    return first, await encode(fewer, folder / "fewer", settings, stream)


@pytest.mark.parametrize("codec", list(CODECS))
async def test_the_file_of_every_codec_is_the_same(codec: Codec, tmp_path: Path) -> None:
    first, second = await twice(tmp_path, settings_of(codec))

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("codec", "more"),
    [
        (Codec.H264, {"bit_depth": 10}),
        (Codec.H264, {"lossless": True}),
        (Codec.VP9, {"transparent": True}),
        (Codec.PRORES_4444, {"transparent": True}),
        (Codec.WEBP, {"transparent": True}),
    ],
)
async def test_so_it_is_with_more_bits_and_with_alpha(
    codec: Codec, more: dict[str, Any], tmp_path: Path
) -> None:
    first, second = await twice(tmp_path, settings_of(codec, **more))

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("rate", ["24000/1001", "25", "60000/1001", "240", "1/2", "1/1000000"])
async def test_every_frame_has_its_exact_time_at_any_rate(rate: str, tmp_path: Path) -> None:
    settings = settings_of(Codec.H264, frame_rate=FrameRate.parse(rate))

    first, second = await twice(tmp_path, settings)

    facts = await probe(FFPROBE, second)
    check_chunk(facts, frames=len(SHOWN), settings=settings, size_px=SIZE_PX)
    assert facts.duration_s == len(SHOWN) / Fraction(rate)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "shown",
    [[5], [5, 5], [5] * 40, [4, 5, 5], [4, 4, 5], [5] * 16, [5] * 17, [*[5] * 17, 6]],
    ids=lambda shown: "-".join(map(str, shown[:1] + shown[-1:])) + f"-of-{len(shown)}",
)
async def test_a_chunk_may_begin_and_end_with_repeats_or_hold_nothing_else(
    shown: list[int], tmp_path: Path
) -> None:
    settings = settings_of(Codec.H264)

    first, second = await twice(tmp_path, settings, shown)

    assert decode_frame_numbers(second) == shown
    check_chunk(await probe(FFPROBE, second), frames=len(shown), settings=settings, size_px=SIZE_PX)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("more", [{}, {"transparent": True}])
async def test_subtitles_change_while_the_picture_repeats(
    more: dict[str, Any], tmp_path: Path
) -> None:
    subtitles = burned(read_script("a.srt", SUBTITLES.encode()), Fraction(0), NTSC)
    settings = settings_of(Codec.FFV1, burned_subtitles=(subtitles,), **more)

    first, second = await twice(tmp_path, settings)

    assert first.read_bytes() == second.read_bytes()
    bare = await encode([picture(0)] * 25, tmp_path / "bare", settings_of(Codec.FFV1, **more))
    assert second.stat().st_size > bare.stat().st_size


async def test_only_the_stamped_pictures_are_looked_at(tmp_path: Path) -> None:
    settings = settings_of(Codec.H264)
    shown = [picture(1), *[replace(picture(2), is_repeat=True)] * 14, picture(3)]

    chunk = await encode(shown, tmp_path / "c.mp4", settings)

    assert decode_frame_numbers(chunk) == [1] * 15 + [3]
