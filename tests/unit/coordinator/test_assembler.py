from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.assembler import check_video, exact_times
from coordinator.assembly import Assembly, ChunkFile, concat_list
from coordinator.muxing import movie_timescale
from renderer.encode.arguments import track_timescale
from renderer.encode.probe import ColorTags, SoundFacts, VideoFacts
from renderer.errors import EncoderError
from renderer.frames import FrameRange, FrameRate
from renderer.settings import MAX_FPS, RenderSettings

NTSC = FrameRate(30000, 1001)


def assembly(
    *lengths: int, start: int = 0, rate: FrameRate = NTSC, name: str = "/c/{}.mp4"
) -> Assembly:
    stops = [start + sum(lengths[:index]) for index in range(len(lengths) + 1)]
    chunks = tuple(
        ChunkFile(path=Path(name.format(index)), frames=FrameRange(begin, stop))
        for index, (begin, stop) in enumerate(pairwise(stops))
    )
    settings = RenderSettings(frame_rate=rate)
    return Assembly(chunks=chunks, settings=settings, width_px=64, height_px=32)


FACTS = VideoFacts(
    codec="h264",
    width_px=64,
    height_px=32,
    pixel_format="yuv420p",
    colors=ColorTags(),
    frames=5,
    frame_rate=Fraction(30000, 1001),
    time_base=Fraction(1, 30000),
    first_pts=0,
    step=1001,
    duration_s=Fraction(5005, 30000),
    reorder_frames=2,
    sound=None,
)
STEREO = SoundFacts(codec="aac", channels=2, sample_rate=48_000, lead_s=Fraction(0))


def test_an_assembly_spans_its_chunks() -> None:
    assert assembly(2, 3, 4, start=10).frames == FrameRange(10, 19)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ([], "at least one chunk"),
        ([(0, 2), (3, 4)], r"\[3, 4\) does not follow chunk \[0, 2\)"),
        ([(2, 4), (0, 2)], "does not follow"),
        ([(0, 2), (1, 3)], "does not follow"),
        ([(0, 2), (2, 2)], "holds no frames"),
    ],
)
def test_chunks_with_gaps_overlaps_or_nothing_in_them_cannot_be_joined(
    ranges: list[tuple[int, int]], words: str
) -> None:
    chunks = tuple(ChunkFile(path=Path("c"), frames=FrameRange(*pair)) for pair in ranges)

    with pytest.raises(ValueError, match=words):
        Assembly(chunks=chunks, settings=RenderSettings(), width_px=64, height_px=32)


def test_the_list_names_each_chunk_and_how_long_it_lasts() -> None:
    assert concat_list(assembly(3, 1, start=90)).splitlines() == [
        "ffconcat version 1.0",
        "file 'file:/c/0.mp4'",
        "duration 100100us",
        "file 'file:/c/1.mp4'",
        "duration 33367us",
    ]


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=60),
    st.integers(0, 10**6),
    st.builds(FrameRate, st.integers(1, 10**6), st.integers(1, 10**6)).filter(
        lambda rate: rate.fraction <= MAX_FPS
    ),
)
def test_rounded_durations_do_not_add_up_to_a_drift(
    lengths: list[int], start: int, rate: FrameRate
) -> None:
    lines = concat_list(assembly(*lengths, start=start, rate=rate)).splitlines()

    lasting = [int(line[len("duration ") : -2]) for line in lines if line.startswith("duration")]
    assert abs(sum(lasting) - 1_000_000 * rate.seconds(sum(lengths))) <= Fraction(1, 2)


def test_quotes_and_backslashes_in_a_name_are_only_characters() -> None:
    listing = concat_list(assembly(1, name="/it's \\ 'c'/{}.mp4"))

    assert r"file 'file:/it'\''s \ '\''c'\''/0.mp4'" in listing.splitlines()


def test_a_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold a line break"):
        concat_list(assembly(1, name="/c\nfile /etc/passwd{}"))


def test_times_snap_to_whole_frames() -> None:
    assert exact_times(NTSC, reorder_frames=2) == (
        "setts=pts=round(PTS/1001)*1001:dts=(N-2)*1001:duration=1001"
    )


@pytest.mark.parametrize(
    ("rate", "ticks"),
    [(NTSC, 240_000), (FrameRate(24), 48_000), (FrameRate(25), 1_200_000)],
)
def test_edit_lists_count_both_frames_and_samples(rate: FrameRate, ticks: int) -> None:
    assert movie_timescale(rate, has_sound=True) == ticks
    assert ticks % track_timescale(rate) == 0
    assert movie_timescale(rate, has_sound=False) == track_timescale(rate)


def test_an_odd_rate_does_not_overflow_the_edit_lists() -> None:
    assert movie_timescale(FrameRate(999_983, 33_333), has_sound=True) == 999_983


def test_a_video_as_it_should_be_passes() -> None:
    check_video(FACTS, assembly(2, 3))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frames": 4}, "frames is 4, not 5"),
        ({"step": 0}, "step is 0, not 1001"),
        ({"first_pts": 7}, "first_pts is 7, not 0"),
        ({"width_px": 66}, "width_px is 66, not 64"),
        ({"pixel_format": "yuv444p"}, "pixel_format is yuv444p"),
        ({"duration_s": Fraction(1)}, "duration_s is 1"),
        ({"frame_rate": Fraction(30)}, "frame_rate is 30, not 30000/1001"),
        ({"colors": ColorTags(space="unknown")}, "space='unknown'"),
        ({"sound": STEREO}, r"sound is \('aac', 48000, 2\), not None"),
    ],
)
def test_a_video_that_differs_is_refused(changed: dict[str, object], words: str) -> None:
    facts = replace(FACTS, **changed)  # type: ignore[arg-type]

    with pytest.raises(EncoderError, match=words):
        check_video(facts, assembly(2, 3))


def test_a_video_without_the_sound_that_was_mixed_is_refused() -> None:
    wanted = replace(assembly(2, 3), sound=Path("a.wav"))

    check_video(replace(FACTS, sound=STEREO), wanted)
    with pytest.raises(EncoderError, match="sound is None, not"):
        check_video(FACTS, wanted)
