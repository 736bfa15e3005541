from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from renderer.encode.arguments import chunk_arguments, ticks_per_frame, track_timescale
from renderer.encode.pictures import PictureStream
from renderer.encode.stamped import StampedPictures
from renderer.frames import FrameRate
from renderer.settings import MAX_RATE_TERM, RenderSettings

FFMPEG = Path("/usr/bin/ffmpeg")
STREAM = StampedPictures(
    stream=PictureStream(width_px=1280, height_px=720), rate=FrameRate(30), frames=150
)
rates = st.builds(FrameRate, st.integers(1, MAX_RATE_TERM), st.integers(1, MAX_RATE_TERM))


def option(arguments: list[str], name: str) -> str:
    """The value of an option that is given once."""
    (at,) = (index for index, argument in enumerate(arguments) if argument == name)
    return arguments[at + 1]


def test_settings_become_options_of_the_encoder() -> None:
    settings = RenderSettings(crf=21, preset="slow", gop_frames=48, encoder_threads=3)

    arguments = chunk_arguments(FFMPEG, STREAM, settings, Path("/out/c.mp4"))

    assert arguments[0] == "/usr/bin/ffmpeg"
    assert option(arguments, "-crf") == "21"
    assert option(arguments, "-preset") == "slow"
    assert option(arguments, "-g") == "48"
    assert option(arguments, "-filter_complex_threads") == "3"
    threads = [after for name, after in pairwise(arguments) if name == "-threads"]
    assert threads == ["3", "3"]  # of the decoder and of the encoder, never the machine's
    assert option(arguments, "-flags") == "+bitexact+cgop"
    assert option(arguments, "-fps_mode") == "passthrough"
    assert "file:/out/c.mp4" in arguments


def test_pictures_come_from_the_standard_input_at_the_exact_rate() -> None:
    settings = RenderSettings(frame_rate=FrameRate(30000, 1001))

    arguments = chunk_arguments(FFMPEG, STREAM, settings, Path("/out/c.mp4"))

    assert option(arguments, "-i") == "pipe:0"
    assert option(arguments, "-video_track_timescale") == "30000"


def test_a_file_name_is_never_an_option_or_a_protocol() -> None:
    for name in ("-y", "http://example.org/x", "pipe:1"):
        arguments = chunk_arguments(FFMPEG, STREAM, RenderSettings(), Path(name))

        assert f"file:{Path(name)}" in arguments


def test_the_arguments_depend_on_nothing_else() -> None:
    commands = [
        chunk_arguments(FFMPEG, STREAM, RenderSettings(), Path("/out/c.mp4")) for _ in range(3)
    ]

    assert commands[0] == commands[1] == commands[2]


@given(rates)
def test_a_frame_lasts_a_whole_number_of_ticks_at_any_rate(rate: FrameRate) -> None:
    assert Fraction(ticks_per_frame(rate), track_timescale(rate)) == 1 / rate.fraction


@given(rates)
def test_ticks_fit_the_fields_of_an_mp4_file(rate: FrameRate) -> None:
    assert 1000 <= track_timescale(rate) < 1 << 31
    assert ticks_per_frame(rate) < 1 << 32
