"""Chunks joined by a real ffmpeg: nothing is encoded again, no frame or tick is lost or added."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest

from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.probe import ColorTags, VideoFacts, probe
from renderer.encode.reading.chunk import read_facts
from renderer.errors import EncoderError, MissingToolError
from renderer.frames import FrameRange, FrameRate
from renderer.settings import RenderSettings
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, chunk_settings, encode, numbered_chunks
from tests.support.frame_numbers import decode_frame_numbers, frame_digests
from tests.support.pictures import numbered_picture

RATES = ["24", "25", "30", "30000/1001", "24000/1001", "60", "60000/1001", "25/2", "999983/33331"]


def assembly_of(chunks: list[tuple[Path, FrameRange]], settings: RenderSettings) -> Assembly:
    return Assembly(
        chunks=tuple(ChunkFile(path=path, frames=frames) for path, frames in chunks),
        settings=settings,
        width_px=settings.width_px,
        height_px=settings.height_px,
    )


async def joined(assembly: Assembly, output: Path) -> VideoFacts:
    await assemble(assembly, output, ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return await probe(FFPROBE, output)


@pytest.mark.parametrize("rate", RATES)
async def test_frames_and_times_are_exact_at_every_rate(rate: str, tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate.parse(rate))
    chunks = await numbered_chunks(tmp_path, [1, 5, 2, 3, 7, 1, 1, 4], settings, start=600)
    output = tmp_path / "out.mp4"

    facts = await joined(assembly_of(chunks, settings), output)

    assert decode_frame_numbers(output) == list(range(600, 624))
    assert (facts.first_pts, facts.step * facts.time_base) == (0, 1 / Fraction(rate))
    assert facts.duration_s == 24 / Fraction(rate)
    assert facts.frame_rate == Fraction(rate)
    assert facts.colors == ColorTags()
    assert read_facts(output) == replace(facts, tags={})


async def test_a_film_of_pictures_alone_is_checked_without_ffprobe(tmp_path: Path) -> None:
    settings = chunk_settings()
    chunks = await numbered_chunks(tmp_path, [3, 4], settings)
    output = tmp_path / "out.mp4"

    nowhere = Path("/nowhere/ffprobe")
    await assemble(assembly_of(chunks, settings), output, ffmpeg=FFMPEG, ffprobe=nowhere)

    assert decode_frame_numbers(output) == list(range(7))


async def test_97_uneven_chunks_decode_to_the_pictures_of_one_piece(tmp_path: Path) -> None:
    seeded = random.Random(97)
    lengths = [seeded.randint(1, 7) for _ in range(97)]
    # Lossless, so that where the key frames stand cannot show.
    settings = chunk_settings(FrameRate(30000, 1001), crf=0, preset="ultrafast")
    total = sum(lengths)
    pictures = [numbered_picture(n) for n in range(total)]
    whole = await encode(pictures, tmp_path / "whole.mp4", settings)
    chunks = await numbered_chunks(tmp_path, lengths, settings)

    await joined(assembly_of(chunks, settings), tmp_path / "out.mp4")

    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(total))
    assert frame_digests(tmp_path / "out.mp4") == frame_digests(whole)


async def test_copied_pictures_decode_as_they_did_in_their_chunks(tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate(24000, 1001), preset="fast")
    chunks = await numbered_chunks(tmp_path, [9, 1, 2, 14], settings)

    await joined(assembly_of(chunks, settings), tmp_path / "out.mp4")

    apart = [digest for path, _ in chunks for digest in frame_digests(path)]
    assert frame_digests(tmp_path / "out.mp4") == apart


async def test_300_chunks_do_not_drift(tmp_path: Path) -> None:
    settings = chunk_settings(FrameRate(30000, 1001))
    three = await numbered_chunks(tmp_path, [2, 2, 2], settings)
    ranges = [FrameRange(stop - 2, stop) for stop in accumulate([2] * 300)]
    chunks = [(three[index % 3][0], frames) for index, frames in enumerate(ranges)]

    facts = await joined(assembly_of(chunks, settings), tmp_path / "out.mp4")

    # `step` is 1001 only if *every* frame, the last one too, stands at n · 1001 ticks.
    assert (facts.frames, facts.first_pts, facts.step) == (600, 0, 1001)
    assert facts.time_base == Fraction(1, 30000)
    assert decode_frame_numbers(tmp_path / "out.mp4") == [0, 1, 2, 3, 4, 5] * 100


async def test_the_same_chunks_give_the_same_bytes(tmp_path: Path) -> None:
    settings = chunk_settings()
    assembly = assembly_of(await numbered_chunks(tmp_path, [3, 4], settings), settings)

    await joined(assembly, tmp_path / "one.mp4")
    await joined(assembly, tmp_path / "two.mp4")

    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


async def test_the_index_stands_before_the_pictures(tmp_path: Path) -> None:
    settings = chunk_settings()
    assembly = assembly_of(await numbered_chunks(tmp_path, [3, 4], settings), settings)

    await joined(assembly, tmp_path / "out.mp4")

    written = (tmp_path / "out.mp4").read_bytes()
    assert 0 < written.index(b"moov") < written.index(b"mdat")


async def test_names_with_quotes_spaces_and_options_are_only_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's a 'film' \\ %03d;|é #1"
    folder.mkdir()
    settings = chunk_settings()
    chunks = await numbered_chunks(folder, [2, 3], settings)

    await joined(assembly_of(chunks, settings), folder / "-o ut,'.mp4")

    assert decode_frame_numbers(folder / "-o ut,'.mp4") == [0, 1, 2, 3, 4]


async def test_a_chunk_that_is_gone_fails_and_leaves_nothing(tmp_path: Path) -> None:
    settings = chunk_settings()
    chunks = await numbered_chunks(tmp_path, [2, 2, 2], settings)
    chunks[1][0].unlink()
    before = sorted(tmp_path.iterdir())

    with pytest.raises(EncoderError):
        await joined(assembly_of(chunks, settings), tmp_path / "out.mp4")

    assert sorted(tmp_path.iterdir()) == before


async def test_a_chunk_with_a_frame_too_few_fails_and_leaves_nothing(tmp_path: Path) -> None:
    settings = chunk_settings()
    (first, _), (second, _) = await numbered_chunks(tmp_path, [2, 2], settings)
    claimed = [(first, FrameRange(0, 2)), (second, FrameRange(2, 5))]
    before = sorted(tmp_path.iterdir())

    with pytest.raises(EncoderError, match="frames is 4, not 5"):
        await joined(assembly_of(claimed, settings), tmp_path / "out.mp4")

    assert sorted(tmp_path.iterdir()) == before


async def test_a_failure_leaves_an_older_output_as_it_was(tmp_path: Path) -> None:
    settings = chunk_settings()
    chunks = await numbered_chunks(tmp_path, [2], settings)
    output = tmp_path / "out.mp4"
    output.write_bytes(b"the last good one")

    with pytest.raises(MissingToolError):
        await assemble(
            assembly_of(chunks, settings), output, ffmpeg=Path("/nowhere"), ffprobe=FFPROBE
        )

    assert output.read_bytes() == b"the last good one"
