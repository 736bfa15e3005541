"""Subtitles by all that is real: Chromium, a farm of one machine, ffmpeg."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import framefarm
from tests.support.command_line import framefarm as run_framefarm
from tests.support.pages import tools_or_skip

PAGE = "<!doctype html><style>body { margin: 0; background: #204060 }</style>"
SRT = """1
00:00:00,100 --> 00:00:00,500
one

2
00:00:00,300 --> 00:00:00,700
two
"""
SIZE_PX = (320, 180)


@pytest.fixture(autouse=True)
def tools() -> None:
    tools_or_skip()


def pictures(video: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    raw = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(video), *raw]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(printed, np.uint8).reshape(-1, SIZE_PX[1], SIZE_PX[0], 3)


async def test_chunks_of_a_farm_show_cues_in_just_their_frames(tmp_path: Path) -> None:
    page, film = tmp_path / "page.html", tmp_path / "film.srt"
    page.write_text(PAGE)
    film.write_text(SRT)
    videos = []
    for index, (chunk_frames, workers) in enumerate([(24, None), (4, 1)]):
        videos.append(tmp_path / f"{index}.mkv")
        await framefarm.render(
            page,
            videos[-1],
            frames=24,
            width_px=SIZE_PX[0],
            height_px=SIZE_PX[1],
            codec="ffv1",
            subtitles=[str(film)],
            chunk_frames=chunk_frames,
            workers=workers,
        )

    whole, chunked = map(pictures, videos)

    assert (whole == chunked).all()
    differs = (whole != whole[0]).any(axis=(1, 2, 3))
    assert list(np.flatnonzero(differs)) == list(range(3, 21))


async def test_the_command_line_writes_streams_chapters_and_tags(tmp_path: Path) -> None:
    page, film, output = tmp_path / "page.html", tmp_path / "film.srt", tmp_path / "film.mp4"
    page.write_text(PAGE)
    film.write_text(SRT)
    extras = ["--subtitles", f"{film},lang=en", "--subtitles-mode", "stream", "--title", "A film"]
    extras += ["--chapter", "0s=One", "--chapter", "200ms=Two", "--metadata", "album=None"]
    size = ["--width", str(SIZE_PX[0]), "--height", str(SIZE_PX[1]), "--frames", "24"]

    ended = await run_framefarm("render", str(page), "-o", str(output), *size, *extras)

    assert ended.code == 0, ended.err
    what = ["-show_chapters", "-show_format", "-show_streams", "-of", "json"]
    command = ["ffprobe", "-v", "error", *what, str(output)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    kinds = [(each["codec_type"], each.get("codec_name")) for each in told["streams"][:2]]
    assert kinds == [("video", "h264"), ("subtitle", "mov_text")]
    assert [chapter["tags"]["title"] for chapter in told["chapters"]] == ["One", "Two"]
    assert told["format"]["tags"].items() >= {"title": "A film", "album": "None"}.items()
    assert (pictures(output) == pictures(output)[0]).all()


async def test_a_broken_file_is_named_before_anything_starts(tmp_path: Path) -> None:
    page, film = tmp_path / "page.html", tmp_path / "film.srt"
    page.write_text(PAGE)
    film.write_text(SRT.replace("00:00:00,700", "soon"))

    ended = await run_framefarm(
        "render",
        str(page),
        "-o",
        str(tmp_path / "a.mp4"),
        "--frames",
        "3",
        "--subtitles",
        str(film),
    )

    assert ended.code == 2
    assert "--subtitles" in ended.err
    assert "film.srt, line 6: 'soon' is no time; write it like 00:01:02,500" in ended.err
