"""Files other than mp4, by all that is real: Chromium, a farm of one machine, ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

import framefarm
from tests.support.command_line import framefarm as run_framefarm
from tests.support.frame_numbers import BITS, SQUARE_PX, decode_frame_numbers
from tests.support.pages import PAGES, tools_or_skip
from tests.support.sounds import tone, write_wav

COUNTER = PAGES / "counter.html"
HALF = """<!doctype html><style>body { margin: 0 }
  i { position: absolute; width: 50px; height: 50px; background: rgb(255 0 0 / 50.2%) }
</style><i></i>"""


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


async def test_a_transparent_page_is_half_open_in_a_webm(tmp_path: Path) -> None:
    page = tmp_path / "half.html"
    page.write_text(HALF)
    output = tmp_path / "out.webm"

    await framefarm.render(
        page, output, frames=4, chunk_frames=2, width_px=100, height_px=50, transparent=True
    )

    raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-c:v", "libvpx-vp9", "-i", str(output), *raw]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    assert len(pixels) == 4 * 100 * 50 * 4
    for frame in range(4):
        red, green, blue, alpha = pixels[(frame * 5000 + 2525) * 4 :][:4]
        assert abs(alpha - 128) <= 2
        assert red >= 245
        assert max(green, blue) <= 10
        assert pixels[(frame * 5000 + 2580) * 4 + 3] <= 2


async def test_a_gif_has_all_frames_and_says_that_it_is_silent(tmp_path: Path) -> None:
    beep = write_wav(tmp_path / "beep.wav", tone(1))
    output = tmp_path / "out.gif"

    video = await framefarm.render(
        COUNTER,
        output,
        frames=5,
        chunk_frames=3,
        fps=25,
        width_px=480,
        height_px=270,
        audio=[str(beep)],
    )

    assert decode_frame_numbers(output) == [0, 1, 2, 3, 4]
    with Image.open(output) as image:
        assert [each.info["duration"] for each in ImageSequence.Iterator(image)] == [40] * 5
    assert video.warnings == ("sound: gif files hold none, and this one is silent",)


async def test_pictures_are_files_with_their_frames_numbers(tmp_path: Path) -> None:
    """They have odd sides, and their folder was not there."""
    folder = tmp_path / "frames"

    await framefarm.render(
        COUNTER, folder / "%04d.png", frames=3, start_frame=8, width_px=481, height_px=271
    )

    assert sorted(path.name for path in folder.iterdir()) == ["0008.png", "0009.png", "0010.png"]
    numbers = [number_in(path, size_px=(481, 271)) for path in sorted(folder.iterdir())]
    assert numbers == [8, 9, 10]


async def test_a_still_is_one_frame(tmp_path: Path) -> None:
    output = tmp_path / "x.png"
    size = ["--width", "480", "--height", "270"]

    ended = await run_framefarm("still", str(COUNTER), "--frame", "7", "-o", str(output), *size)

    assert ended.code == 0, ended.err
    assert number_in(output) == 7


def number_in(picture: Path, *, size_px: tuple[int, int] = (480, 270)) -> int:
    """The number that the page has drawn."""
    with Image.open(picture) as image:
        assert image.size == size_px
        gray = image.convert("L")
    squares = [gray.getpixel((bit * SQUARE_PX + 12, 12)) for bit in range(BITS)]
    return sum(1 << bit for bit, value in enumerate(squares) if int(str(value)) > 128)
