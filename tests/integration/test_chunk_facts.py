"""What is read of a chunk without ffprobe is what ffprobe says; what is not read, it is asked."""

from __future__ import annotations

import asyncio
import random
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from renderer.encode.check import check_chunk
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.probe import VideoFacts, probe
from renderer.encode.reading.boxes import boxes
from renderer.encode.reading.chunk import chunk_facts, read_facts
from renderer.encode.recipe import chunk_recipe
from renderer.errors import EncoderError
from renderer.frames import FrameRate
from renderer.gamut import ColorGamut
from renderer.settings import RenderSettings
from tests.support.chunks import FFPROBE, chunk_settings, encode
from tests.support.pictures import numbered_picture

QUICK = {Codec.H264: "superfast", Codec.H265: "superfast", Codec.AV1: "12", Codec.VP8: "5"}
QUICK[Codec.VP9] = "5"
SEEDS = range(15)
KEY = FrameRate(30000, 1001)


def settings_of(codec: Codec, rate: FrameRate = KEY, **more: Any) -> RenderSettings:
    given: dict[str, Any] = {"width_px": 400, "height_px": 128, "preset": QUICK.get(codec, "")}
    return RenderSettings(frame_rate=rate, codec=codec, **given | more)


async def chunk(folder: Path, settings: RenderSettings, frames: int) -> Path:
    pictures = [
        numbered_picture(number, width_px=settings.width_px, height_px=settings.height_px)
        for number in range(frames)
    ]
    name = f"chunk.{chunk_recipe(settings).container}"
    return await encode(pictures, folder / name, settings)


async def told_by_ffprobe(path: Path) -> tuple[VideoFacts, tuple[int, ...]]:
    facts = replace(await probe(FFPROBE, path), tags={})
    return facts, facts.times


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_is_read_is_what_ffprobe_says(seed: int, tmp_path: Path) -> None:
    settings, frames = _drawn(random.Random(seed), [Codec.H264, Codec.H265, Codec.AV1][seed % 3])

    path = await chunk(tmp_path, settings, frames)

    facts = read_facts(path)
    assert facts is not None, settings
    assert (facts, facts.times) == await told_by_ffprobe(path)
    size_px = settings.width_px, settings.height_px
    check_chunk(facts, frames=frames, settings=settings, size_px=size_px)


@pytest.mark.parametrize(
    ("codec", "more"),
    [
        (Codec.VP8, {}),
        (Codec.VP9, {}),
        (Codec.VP9, {"container": Container.MP4}),
        (Codec.PRORES, {}),
        (Codec.DNXHR, {}),
        (Codec.FFV1, {"transparent": True}),
        (Codec.GIF, {}),
        (Codec.PNG, {}),
        (Codec.JPEG, {}),
    ],
)
async def test_ffprobe_is_asked_about_files_that_are_not_read(
    codec: Codec, more: dict[str, Any], tmp_path: Path
) -> None:
    settings = settings_of(codec, **more)

    path = await chunk(tmp_path, settings, 3)

    assert read_facts(path) is None
    facts = replace(await chunk_facts(FFPROBE, path), tags={})
    assert (facts, facts.times) == await told_by_ffprobe(path)
    check_chunk(facts, frames=3, settings=settings, size_px=(400, 128))


async def test_a_chunk_of_other_frames_or_size_is_refused_by_name(tmp_path: Path) -> None:
    path = await chunk(tmp_path, chunk_settings(FrameRate(25)), 3)
    facts = read_facts(path)
    assert facts is not None

    with pytest.raises(EncoderError) as refused:
        check_chunk(facts, frames=4, settings=chunk_settings(codec=Codec.H265), size_px=(400, 66))

    for words in ("codec is h264, not hevc", "height_px is 64, not 66", "frames is 3, not 4"):
        assert words in str(refused.value)
    assert "frame_rate is 25, not 30" in str(refused.value)


async def test_a_file_that_is_cut_off_is_refused_wherever(tmp_path: Path) -> None:
    data = (await chunk(tmp_path, chunk_settings(), 4)).read_bytes()
    cut = tmp_path / "cut.mp4"

    for length in (20, len(data) // 2, data.index(b"moov") + 9, len(data) - 1):
        cut.write_bytes(data[:length])
        with pytest.raises(EncoderError, match=r"cut\.mp4 is cut off: of \d+ bytes of its box"):
            await chunk_facts(FFPROBE, cut)
    for length in (0, 7, 40):  # the last one ends where a box does
        cut.write_bytes(data[:length])
        with pytest.raises(EncoderError, match=r"cut\.mp4: Invalid data"):
            await chunk_facts(FFPROBE, cut)

    cut.unlink()
    with pytest.raises(EncoderError, match=r"cut\.mp4: No such file"):
        await chunk_facts(FFPROBE, cut)


@pytest.mark.parametrize(
    ("table", "at", "number"),
    [
        (b"stts", 8, 5),  # frames of that length
        (b"stts", 12, 999),
        (b"stsz", 8, 3),
        (b"stsz", 16, 1 << 30),
        (b"stsc", 12, 3),
        (b"stco", 8, 1 << 30),
        (b"ctts", 4, 2),
        (b"ctts", 12, 8000),
        (b"elst", 8, 9),
        (b"elst", 12, 0),
        (b"mdhd", 16, 4001),
        (b"mdhd", 12, 0),
        (b"stss", 8, 2),
        (b"hdlr", 8, int.from_bytes(b"soun", "big")),
    ],
)
async def test_tables_that_do_not_agree_are_not_read(
    table: bytes, at: int, number: int, kept: bytes, tmp_path: Path
) -> None:
    data = bytearray(kept)
    movie = data.index(b"moov") - 4
    (box,) = (box for box in boxes(data, movie) if box.name == table)
    was = struct.unpack_from(">I", data, box.start + at)[0]
    assert was != number

    struct.pack_into(">I", data, box.start + at, number)
    (tmp_path / "changed.mp4").write_bytes(data)

    assert read_facts(tmp_path / "changed.mp4") is None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A chunk of four frames, which is read."""
    folder = tmp_path_factory.mktemp("kept")
    path = asyncio.run(chunk(folder, chunk_settings(), 4))
    assert read_facts(path) is not None
    return path.read_bytes()


async def test_any_bit_of_the_tables_is_read_as_ffprobe_reads_it_or_not_at_all(
    kept: bytes, tmp_path: Path
) -> None:
    chance = random.Random(3)
    movie = kept.index(b"moov") - 4
    (entry,) = (box for box in boxes(kept, movie) if box.name == b"stsd")
    places = [at for at in range(movie, len(kept)) if not entry.start <= at < entry.stop]
    compared = 0

    for at in chance.sample(places, 24):
        data = bytearray(kept)
        data[at] ^= 1 << chance.randrange(8)
        path = tmp_path / "turned.mp4"
        path.write_bytes(data)
        if (facts := read_facts(path)) is not None:
            assert (facts, facts.times) == await told_by_ffprobe(path), at
            compared += 1

    assert 5 <= compared <= 20


def _drawn(chance: random.Random, codec: Codec) -> tuple[RenderSettings, int]:
    """Settings that the codec bears, and how many frames."""
    depths = {Codec.AV1: [None, 10]}.get(codec, [None, 8, 10])
    more: dict[str, Any] = {
        "width_px": chance.choice([400, 402, 438, 640]),
        "height_px": chance.choice([64, 66, 90, 128]),
        "bit_depth": chance.choice(depths),
        "color_gamut": chance.choice(list(ColorGamut)),
        "gop_frames": chance.choice([1, 2, 5, 60]),
    }
    if codec is not Codec.AV1 and chance.random() < 0.3:
        more |= {"lossless": True, "bit_depth": None}
    if codec is Codec.H264 and "lossless" not in more:
        more["codec_options"] = (("bf", str(chance.choice([0, 1, 3, 16]))),)
    if codec is Codec.H265:
        more["codec_options"] = (("bframes", str(chance.choice([0, 2, 8]))),)
    rates = ["24", "25", "30000/1001", "60", "1/2", "240", "999983/33331", "24000/1001"]
    rate = FrameRate.parse(chance.choice(rates))
    return settings_of(codec, rate, **more), chance.choice([1, 2, 3, 7, 24])
