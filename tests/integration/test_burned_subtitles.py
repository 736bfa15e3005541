"""Subtitles in pictures: in just the frames that they belong to, however the film is cut."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from renderer.encode.codec_facts import Codec
from renderer.encode.ffmpeg import PictureStream, encoding
from renderer.frames import FrameRange, FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from renderer.subtitles.burning import BurnedSubtitles, burned
from renderer.subtitles.reading import read_script
from tests.support.chunks import FFMPEG
from tests.support.require import missing

WIDTH_PX, HEIGHT_PX = 320, 180
NTSC = FrameRate(30000, 1001)
Pixels = npt.NDArray[np.uint8]

# Four that make room for each other; the first goes while the others stay where they are.
HEAP = """1
00:00:00,100 --> 00:00:00,633
<i>One</i> goes first

2
00:00:00,234 --> 00:00:01,000
Two

3
00:00:00,467 --> 00:00:01,200
Three, <font color="#ff0000">red</font>

4
00:00:01,001 --> 00:00:01,334
Four
"""
MOVING = r"""[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,sans-serif,24,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,1,\
0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.10,0:00:01.20,Default,,0,0,0,,{\move(0,90,320,90)}goes
Dialogue: 0,0:00:00.20,0:00:00.90,Default,,0,0,0,,{\fad(300,300)}fades
Dialogue: 0,0:00:00.33,0:00:01.00,Default,,0,0,0,,{\k30}sung {\k40}words
""".replace("\\\n", "")


def settings_of(*subtitles: BurnedSubtitles, **more: Any) -> RenderSettings:
    given: dict[str, Any] = {"codec": Codec.FFV1, "frame_rate": NTSC} | more
    size: dict[str, Any] = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
    return RenderSettings(**size, burned_subtitles=subtitles, **given)


def drawn_of(name: str, text: str, *, offset_s: Fraction = Fraction(0)) -> BurnedSubtitles:
    return burned(read_script(name, text.encode()), offset_s, NTSC)


async def film(
    folder: Path,
    settings: RenderSettings,
    cuts: list[int],
    *,
    bgra: tuple[int, int, int, int] = (90, 60, 30, 255),
) -> Pixels:
    """The decoded pictures of all chunks between the cuts; each picture is of one colour."""
    folder.mkdir()
    picture = Picture(
        width_px=WIDTH_PX, height_px=HEIGHT_PX, pixels=bytes(bgra) * (WIDTH_PX * HEIGHT_PX)
    )
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    pictures = list[Pixels]()
    for start, stop in pairwise(cuts):
        path = folder / f"it's chunk, {start}: [a].mov"
        frames = FrameRange(start, stop)
        async with encoding(FFMPEG, stream, settings, path, frames=frames) as encoder:
            for _ in frames:
                await encoder.write(picture)
            await encoder.finish()
        pictures.append(decode(path))
        assert len(pictures[-1]) == stop - start
    assert not [path for path in folder.iterdir() if path.suffix != ".mov"]
    return np.concatenate(pictures)


def decode(video: Path) -> Pixels:
    raw = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", "rgba", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(video), *raw]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(printed, np.uint8).reshape(-1, HEIGHT_PX, WIDTH_PX, 4)


def frames_with_letters(pictures: Pixels, first: int = 0) -> list[int]:
    differs = (pictures != pictures[:, :1, :1]).any(axis=(1, 2, 3))
    return [first + int(index) for index in np.flatnonzero(differs)]


@pytest.mark.parametrize(("name", "text"), [("a.srt", HEAP), ("a.ass", MOVING)])
async def test_seven_chunks_show_the_pictures_of_one(name: str, text: str, tmp_path: Path) -> None:
    settings = settings_of(drawn_of(name, text))

    whole = await film(tmp_path / "one", settings, [0, 42])
    chunked = await film(tmp_path / "seven", settings, [0, 5, 9, 16, 20, 30, 31, 42])

    assert len(frames_with_letters(whole)) > 30
    assert (chunked == whole).all()


async def test_a_cue_that_makes_room_stays_where_it_is(tmp_path: Path) -> None:
    settings = settings_of(drawn_of("a.srt", HEAP))

    pictures = await film(tmp_path / "film", settings, [0, 36])

    # The first cue is gone in frame 19, and none of the others moves.
    with_first, without = (pictures[frame] != pictures[0, 0, 0] for frame in (18, 19))
    assert without.any()
    assert (with_first | ~without).all()


async def test_a_cue_is_in_just_its_frames(tmp_path: Path) -> None:
    # At 30000/1001 frame 3 is at 100.1 ms and frame 5 at 166.83 ms.
    text = "1\n00:00:00,101 --> 00:00:00,167\na\n\n2\n00:00:00,300 --> 00:00:00,334\nb\n"

    pictures = await film(tmp_path / "film", settings_of(drawn_of("a.srt", text)), [0, 14])

    assert frames_with_letters(pictures) == [4, 5, 9, 10]


@pytest.mark.parametrize("rate", [FrameRate(25), FrameRate(49), FrameRate(60), NTSC])
async def test_a_cue_begins_with_the_frame_at_its_time(rate: FrameRate, tmp_path: Path) -> None:
    """Whole seconds: where a clock that is a little late would lose a frame."""
    text = MOVING.partition("Dialogue")[0]
    text += "".join(
        f"Dialogue: 0,0:00:0{second}.00,0:00:0{second}.04,Default,,0,0,0,,a\n" for second in (1, 3)
    )
    subtitles = burned(read_script("a.ass", text.encode()), Fraction(0), rate)
    first = int(rate.fraction)
    settings = settings_of(subtitles, frame_rate=rate)

    pictures = await film(tmp_path / "film", settings, [first - 2, 3 * first + 8])

    times = ((frame, rate.seconds(frame)) for frame in range(first - 2, 3 * first + 8))
    wanted = [
        frame
        for frame, time_s in times
        if any(second <= time_s < second + Fraction(4, 100) for second in (1, 3))
    ]
    assert frames_with_letters(pictures, first - 2) == wanted


@pytest.mark.parametrize("name", ["a.srt", "a.ass"])
async def test_an_offset_moves_all_cues(name: str, tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:01,100\na\n"
    if name == "a.ass":
        header = MOVING.partition("Dialogue")[0]
        text = header + "Dialogue: 0,0:00:01.00,0:00:01.10,Default,,0,0,0,,a\n"
        text += "Dialogue: 0,0:00:00.00,0:00:00.10,Default,,0,0,0,,never\n"

    early = drawn_of(name, text, offset_s=Fraction(-8, 10))
    late = drawn_of(name, text, offset_s=Fraction(1, 10))
    pictures = await film(tmp_path / "early", settings_of(early), [0, 12])
    later = await film(tmp_path / "late", settings_of(late), [30, 40])

    assert frames_with_letters(pictures) == [6, 7, 8]
    assert frames_with_letters(later, 30) == [33, 34, 35]


# White letters that are a quarter open, in a black box that is half open.
BOX = (
    MOVING.partition("Dialogue")[0]
    .replace("&H00FFFFFF", "&H40FFFFFF")
    .replace("&H00000000,&H00000000", "&H80000000,&H80000000")
    .replace("100,100,0,0,1,1,", "100,100,0,0,3,4,")
    + "Dialogue: 0,0:00:00.00,0:00:00.10,Default,,0,0,0,,Half open\n"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.srt", "1\n00:00:00,000 --> 00:00:00,100\nHalf open ████\n"), ("a.ass", BOX)],
)
async def test_letters_with_alpha_look_the_same_on_what_comes_behind_them(
    name: str, text: str, tmp_path: Path
) -> None:
    behind = np.array([30, 60, 90])  # of red, green, blue

    on_it = await film(tmp_path / "on", settings_of(drawn_of(name, text)), [0, 1])
    settings = settings_of(drawn_of(name, text), transparent=True)
    alone = await film(tmp_path / "alone", settings, [0, 4], bgra=(0, 0, 0, 0))

    assert not alone[3].any()
    alpha = alone[0, :, :, 3:] / 255
    assert ((alpha > 0.2) & (alpha < 0.8)).any()
    laid_over = alone[0, :, :, :3] * alpha + behind * (1 - alpha)
    apart = np.abs(laid_over - on_it[0, :, :, :3])[~(alpha == 0).all(axis=-1)]
    assert apart.max() <= 3


async def test_what_is_nearly_open_stays_so_beside_letters(tmp_path: Path) -> None:
    settings = settings_of(drawn_of("a.srt", HEAP), transparent=True)

    pictures = await film(tmp_path / "film", settings, [6, 8], bgra=(40, 20, 10, 3))

    untouched = (pictures == np.array([10, 20, 40, 3])).all(axis=-1)
    assert 0.9 < untouched.mean() < 1


async def test_two_files_are_drawn_one_over_the_other(tmp_path: Path) -> None:
    below = drawn_of("a.srt", "1\n00:00:00,000 --> 00:00:00,100\nbelow\n")
    above = drawn_of("b.vtt", "WEBVTT\n\n00:00.034 --> 00:00.134 line:0\nabove\n")

    pictures = await film(tmp_path / "film", settings_of(below, above), [0, 5])

    halves = [
        [bool((half != picture[0, 0]).any()) for half in np.split(picture, 2)]
        for picture in pictures
    ]
    assert halves == [[False, True], [False, True], [True, True], [True, False], [True, False]]


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "שלום עולם", "héllo, wörld"])
async def test_letters_of_every_direction_are_shaped(text: str, tmp_path: Path) -> None:
    """The words of a line that runs from the right stand in that order."""
    first, last = text.split()
    cue = "1\n00:00:00,000 --> 00:00:00,100\n{}\n"
    marked = [f'<font color="#ff0000">{first}</font> {last}', f"{first} {last}"]
    red, _ = [
        (
            await film(
                tmp_path / str(index), settings_of(drawn_of("a.srt", cue.format(each))), [0, 1]
            )
        )
        for index, each in enumerate(marked)
    ]

    is_red = (red[0, :, :, 0] > 200) & (red[0, :, :, 1] < 80)
    is_white = (red[0] > 200).all(axis=-1)
    assert is_red.any()
    assert is_white.any()
    runs_from_right = np.nonzero(is_red)[1].mean() > np.nonzero(is_white)[1].mean()
    assert runs_from_right == (not text.isascii() and ord(text[0]) > 0x500)


@pytest.mark.parametrize("text", ["日本", "中文", "한국"])
async def test_chinese_japanese_and_korean_letters_are_drawn(text: str, tmp_path: Path) -> None:
    """Two letters are not the same as the two in the other order, as two boxes would be."""
    fonts = subprocess.run(["fc-list", ":lang=ja"], check=True, capture_output=True).stdout
    if not fonts:
        missing("cjk", "no font of this machine has Japanese letters; install fonts-wqy-zenhei")
    cue = "1\n00:00:00,000 --> 00:00:00,100\n{}\n"

    there, back = [
        await film(tmp_path / str(index), settings_of(drawn_of("a.srt", cue.format(each))), [0, 1])
        for index, each in enumerate([text, text[::-1]])
    ]

    assert frames_with_letters(there) == [0]
    assert (there != back).any()


async def test_a_cue_that_is_always_there_costs_no_late_chunk_its_place(tmp_path: Path) -> None:
    """All that came while it was there decide, however many: here a hundred and more."""
    cue = "{}\n00:00:{:06.3f} --> 00:00:{:06.3f}\n{}\n\n"
    text = cue.format(0, 0.05, 9, "always")
    text += "".join(cue.format(n, n / 25, n / 25 + 0.05, f"cue {n}") for n in range(1, 125))
    settings = settings_of(drawn_of("a.srt", text))

    whole = await film(tmp_path / "whole", settings, [0, 150])
    late = await film(tmp_path / "late", settings, [140, 150])

    assert (late == whole[140:]).all()
    assert len(frames_with_letters(late)) == 10
