"""Many files of one render, and sound without pictures: Chromium, a farm of one machine, ffmpeg."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

import framefarm
from tests.e2e.test_codecs import number_in
from tests.support.command_line import framefarm as run_framefarm
from tests.support.command_line import framefarm_command
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import PAGES, tools_or_skip
from tests.support.sounds import RATE, decode_sound, onset, tone, write_wav

SIZE = ["--width", "480", "--height", "270"]


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The counter, with a tone that begins at 0.2 s."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(PAGES / "squares.js", folder)
    write_wav(folder / "tone.wav", tone(1))
    text = (PAGES / "counter.html").read_text()
    clip = '<audio src="tone.wav" data-framefarm-offset="0.2s"></audio>'
    (folder / "index.html").write_text(text.replace("<body>", f"<body>{clip}"))
    return folder


async def test_one_command_makes_all_files_of_one_capture(page: Path, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.mp4", "a.gif", "poster.png", "sound.flac")]
    said = [f"{names[0]},crf=23", names[1], f"{names[2]}@0.3s", names[3]]
    outputs = [text for each in said for text in ("-o", str(each))]
    length = ["--frames", "12", "--fps", "25", "--chunk-frames", "5"]

    ended = await run_framefarm(
        "render", str(page), *outputs, *length, *SIZE, "--json", "--preview"
    )

    assert ended.code == 0, ended.err
    assert "no preview: chunks are kept without loss" in ended.err
    told = json.loads(ended.out)
    assert [file["path"] for file in told["files"]] == [str(path) for path in names]
    assert sorted(tmp_path.iterdir()) == sorted(names)
    assert decode_frame_numbers(names[0]) == decode_frame_numbers(names[1]) == list(range(12))
    assert number_in(names[2]) == 7  # of 7.5
    for path in (names[0], names[3]):
        assert abs(onset(decode_sound(path), above=0.05) - RATE // 5) <= 48
    assert len(decode_sound(names[3])) == RATE * 12 // 25


async def test_sound_alone_is_heard_as_it_is_in_a_film(page: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"

    alone = await framefarm.render(
        page, sound, frames=12, fps=25, start_frame=4, width_px=64, height_px=64
    )

    assert alone.frames == 12
    samples = decode_sound(sound)
    assert len(samples) == RATE * 12 // 25
    assert abs(onset(samples) - RATE // 25) <= 1


async def test_a_moment_that_the_film_does_not_have_is_told_before_anything_starts(
    page: Path, tmp_path: Path
) -> None:
    outputs = ["-o", str(tmp_path / "a.mp4"), "-o", f"{tmp_path / 'x.png'}@3s"]

    ended = await run_framefarm("render", str(page), *outputs, "--frames", "12", *SIZE)

    assert ended.code == 2
    assert "framefarm: -o: " in ended.err
    assert "x.png@3s: frame 90 is none of the film's frames [0, 12)" in ended.err
    assert list(tmp_path.iterdir()) == []


async def test_a_render_says_where_it_can_be_watched(page: Path, tmp_path: Path) -> None:
    output = ["-o", str(tmp_path / "a.mp4"), "--preview"]

    async with framefarm_command("render", str(page), *output, "--frames", "900", *SIZE) as command:
        await command.said("preview: ")
        found = re.search(r"preview: (http://127\.0\.0\.1:\d+/jobs/\w+/)\n", command.err)
        assert found is not None
        async with aiohttp.ClientSession() as session, session.get(found[1]) as answer:
            assert answer.status == 200
            assert "<video" in await answer.text()
        command.signal(signal.SIGINT)
        ended = await command.ended()

    assert ended.code == 130


async def test_a_sheet_shows_its_frames_and_renders_no_others(page: Path, tmp_path: Path) -> None:
    events: list[framefarm.JobEvent] = []
    output = tmp_path / "sheet.png"

    made = await framefarm.sheet(
        page,
        output,
        frames=40,
        count=4,
        columns=2,
        cell_width_px=480,
        width_px=480,
        height_px=270,
        on_progress=events.append,
    )

    assert made.frames == (5, 15, 25, 35)
    done = [each.event for each in events if isinstance(each.event, framefarm.ProgressMade)]
    assert (done[-1].frames_done, done[-1].frames_total) == (4, 4)
    assert list(tmp_path.iterdir()) == [output]
    with Image.open(output) as sheet:
        corners = [(12, 12), (504, 12), (12, 316), (504, 316)]
        cells = [sheet.crop((x, y, x + 480, y + 270)) for x, y in corners]
        for index, cell in enumerate(cells):
            cell.save(tmp_path / f"{index}.png")
    assert [number_in(tmp_path / f"{index}.png") for index in range(4)] == [5, 15, 25, 35]
