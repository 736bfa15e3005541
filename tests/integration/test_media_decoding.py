"""A screening gives the picture that a source shows at a time, however one jumps about in it."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest
from PIL import Image

from renderer.media.facts import MediaError
from renderer.media.screening import Screening, open_screening
from renderer.media.timeline import Picture, Shelf
from renderer.tools import Tools, find_ffmpeg
from tests.support.clips import VP9, make_clip
from tests.support.frame_numbers import BITS, SQUARE_PX


async def already_here(url: str, _: Path) -> Path:
    return Path(url)


@asynccontextmanager
async def screening(shelf_bytes: int = 1 << 20) -> AsyncGenerator[Screening]:
    tools = Tools(Path("no-browser"), *find_ffmpeg(os.environ))
    async with open_screening(tools, Shelf(shelf_bytes), already_here) as opened:
        yield opened


def number_in(picture: Picture) -> int:
    row = pixels(picture)[SQUARE_PX // 2]
    middles = [int(row[bit * SQUARE_PX + SQUARE_PX // 2][0]) for bit in range(BITS)]
    return sum(1 << bit for bit, red in enumerate(middles) if red > 128)


def pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(picture.bmp)))


def decoders() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.name().startswith("ffmpeg")]


async def test_jumps_back_and_forth_are_exact(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 300)

    async with screening() as shown:
        source = await shown.source(str(clip))
        for number in (0, 1, 150, 149, 299, 3, 290, 120, 121, 250, 0):
            at_us = -(-number * 1_000_000 // 30)
            assert number_in(await shown.picture(source.id, at_us, loops=False)) == number

        assert source.facts.duration_s == 10


async def test_pictures_that_come_unevenly_stay_until_the_next(tmp_path: Path) -> None:
    # 0 … 9 at 30 a second, but the picture 5 comes 6 s late, and all after it.
    late = "setpts='PTS+if(gte(N,5),6/TB,0)'"
    clip = make_clip(tmp_path / "clip.mp4", 10, "-vf", late, "-fps_mode", "vfr")
    times_s: dict[Fraction | int, int] = {
        0: 0,
        Fraction("0.14"): 4,
        3: 4,
        Fraction("6.1"): 4,
        Fraction("6.17"): 5,
        9: 9,
    }

    async with screening() as shown:
        source = await shown.source(str(clip))
        for time_s, number in times_s.items():
            picture = await shown.picture(source.id, int(time_s * 1_000_000), loops=False)
            assert number_in(picture) == number, time_s


async def test_sound_that_outlasts_the_pictures_leaves_the_last(tmp_path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=d=9", "-map", "0:v", "-map", "1:a", "-c:a", "libopus")
    silent = make_clip(tmp_path / "silent.webm", 20, encoder=VP9)
    clip = tmp_path / "clip.webm"
    command = ["ffmpeg", "-v", "error", "-i", str(silent), *tone, "-c:v", "copy", str(clip)]
    subprocess.run(command, check=True)

    async with screening() as shown:
        source = await shown.source(str(clip))

        assert source.facts.has_sound
        assert source.facts.duration_s > 8
        assert number_in(await shown.picture(source.id, 8_000_000, loops=False)) == 19


async def test_a_file_without_a_duration_has_that_of_its_pictures(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.webm", 20, "-live", "1", encoder=VP9)

    async with screening() as shown:
        source = await shown.source(str(clip))

    assert float(source.facts.duration_s) == pytest.approx(20 / 30, abs=0.002)


async def test_what_is_seen_once_is_not_decoded_again(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 10)

    async with screening() as shown:
        source = await shown.source(str(clip))
        first = await shown.picture(source.id, 0, loops=True)
        await shown.picture(source.id, 300_000, loops=True)

        assert await shown.picture(source.id, 10_000_000, loops=True) is first


async def test_a_small_shelf_is_only_slower(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 10)

    async with screening(shelf_bytes=1) as shown:
        source = await shown.source(str(clip))
        for number in (4, 2, 4, 9, 0):
            at_us = -(-number * 1_000_000 // 30)
            assert number_in(await shown.picture(source.id, at_us, loops=False)) == number


async def test_transparent_pictures_stay_so(tmp_path: Path) -> None:
    clip = tmp_path / "clip.webm"
    half = "color=red@0.5:s=64x64:d=0.2,format=yuva420p"
    encoder = ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0")
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", half, *encoder, str(clip)]
    subprocess.run(command, check=True)

    async with screening() as shown:
        source = await shown.source(str(clip))
        picture = await shown.picture(source.id, 0, loops=False)

    assert pixels(picture)[32, 32].tolist() == pytest.approx([255, 0, 0, 128], abs=12)


async def test_a_file_that_is_no_media_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("not a video")

    async with screening() as shown:
        with pytest.raises(MediaError, match="Invalid data"):
            await shown.source(str(text))


async def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 3)
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {clip.name}\n")

    async with screening() as shown:
        with pytest.raises(MediaError):
            await shown.source(str(playlist))


async def test_a_screening_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 300)

    async with screening() as shown:
        source = await shown.source(str(clip))
        await shown.picture(source.id, 0, loops=False)
        assert len(decoders()) == 1
        assert shown.folder.exists()

    assert decoders() == []
    assert not shown.folder.exists()
    with pytest.raises(MediaError, match="no longer"):
        await shown.picture(source.id, 9_000_000, loops=False)
