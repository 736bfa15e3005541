from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.audio.clips import SAMPLE_RATE, Clip, Window, clip_of, heard, lanes, level_at, slices
from renderer.audio.pcm import tempos
from renderer.audio.tracks import Track
from renderer.frames import FrameRange, FrameRate

NTSC = FrameRate(30000, 1001)
SECOND = Window.of(FrameRange(0, 30), FrameRate(30))
ENDLESS = 10**9


def track(**placement: object) -> Track:
    return Track(source=Path("a.wav"), **placement)  # type: ignore[arg-type]


def plain_clip(begins: int, stop: int) -> Clip:
    return Clip(source=Path("a.wav"), begins=begins, stop=stop, position_s=Fraction(0))


@pytest.mark.parametrize(
    ("frames", "rate", "samples"),
    [
        (30, FrameRate(30), 48_000),
        (1, NTSC, 1602),
        (30_000, NTSC, 48_048_000),
        (1, FrameRate(7), 6857),
    ],
)
def test_the_sound_is_as_long_as_the_frames(frames: int, rate: FrameRate, samples: int) -> None:
    assert Window.of(FrameRange(100, 100 + frames), rate).samples == samples


@pytest.mark.parametrize(
    ("offset_s", "start", "begins", "position_s"),
    [
        ("0", 0, 0, "0"),
        ("1/2", 0, 24_000, "0"),
        ("2", 45, 24_000, "0"),
        ("0", 45, -72_000, "0"),
        ("-1/2", 0, 0, "1/2"),
        ("-1/2", 45, -72_000, "1/2"),
        ("1.5", 45, 0, "0"),
    ],
)
def test_offsets_are_on_the_compositions_timeline(
    offset_s: str, start: int, begins: int, position_s: str
) -> None:
    window = Window.of(FrameRange(start, start + 30), FrameRate(30))

    clip = clip_of(track(offset_s=Fraction(offset_s)), window)

    assert (clip.begins, clip.position_s) == (begins, Fraction(position_s))


def test_a_clip_is_cut_out_of_the_timeline_and_not_shifted() -> None:
    clip = clip_of(track(offset_s=-1, seek_s=2, from_s=0.25, to_s=0.75, rate=2.0), SECOND)

    assert (clip.begins, clip.stop) == (12_000, 36_000)
    assert clip.position_s == 2 + 2 * Fraction("1.25")


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([NTSC, FrameRate(24)]))
def test_a_sounds_place_is_right_to_half_a_sample(start: int, frames: int, rate: FrameRate) -> None:
    window = Window.of(FrameRange(start, start + frames), rate)

    exact = SAMPLE_RATE * (5 - start / rate.fraction)
    assert abs(clip_of(track(offset_s=5), window).begins - exact) <= Fraction(1, 2)


def test_what_is_heard_ends_with_the_source_the_clip_or_the_video() -> None:
    clip = clip_of(track(offset_s=0.25), SECOND)

    ends = [
        voice.stop
        for voice in (
            heard(clip, 4_800, SECOND),
            heard(clip, ENDLESS, SECOND),
            heard(replace(clip, stop=20_000), ENDLESS, SECOND),
        )
        if voice
    ]
    assert ends == [16_800, 48_000, 20_000]


def test_a_clip_that_is_over_or_has_not_begun_is_not_heard() -> None:
    assert heard(clip_of(track(offset_s=-5), SECOND), 48_000, SECOND) is None
    assert heard(clip_of(track(offset_s=5), SECOND), 48_000, SECOND) is None
    assert heard(clip_of(track(seek_s=3), SECOND), 48_000, SECOND) is None
    assert heard(clip_of(track(), SECOND), 0, SECOND) is None


@pytest.mark.parametrize(("source_samples", "end"), [(30_000, 30_000), (ENDLESS, 48_000)])
def test_a_fade_out_ends_where_the_clip_or_the_video_does(source_samples: int, end: int) -> None:
    clip = clip_of(track(fade_out_s=0.25, fade_in_s=0.5, volume=0.5), SECOND)

    voice = heard(clip, source_samples, SECOND)

    assert voice is not None
    assert level_at(voice.gains, 0) == 0
    assert level_at(voice.gains, end) == 0
    assert level_at(voice.gains, 12_000) == pytest.approx(0.25)


@given(
    st.integers(0, 5_000),
    st.integers(1, 5_000),
    st.fractions(min_value=20, max_value=900, max_denominator=150),
    st.integers(1, 1_000),
)
def test_rounds_of_a_loop_lie_on_the_nearest_samples(
    first: int, count: int, turn: Fraction, source_samples: int
) -> None:
    at = first
    for start, length in slices(first, count, source_samples, round_samples=turn):
        begin = round(int(at // turn) * turn)
        begin = begin if begin <= at else round((int(at // turn) - 1) * turn)
        if start is not None:
            assert start + length <= source_samples
            assert abs((at - start) - begin) <= turn + 1  # of this round, not of one before
            assert any(at - start == round(k * turn) for k in (at // turn, at // turn + 1))
        at += length
    assert at == first + count


def test_voices_that_do_not_overlap_share_a_lane() -> None:
    clips = [plain_clip(k * 100, k * 100 + 100) for k in range(400)]
    late = [plain_clip(50, 250)]

    found = lanes(voice for clip in clips + late if (voice := heard(clip, ENDLESS, SECOND)))

    assert [len(lane) for lane in found] == [400, 1]


@given(st.fractions(min_value=Fraction(1, 16), max_value=16, max_denominator=1000))
def test_a_rate_is_made_of_tempos_that_leave_out_no_sample(rate: Fraction) -> None:
    factors = tempos(rate)

    product = Fraction(1)
    for factor in factors:
        assert Fraction(1, 2) <= factor <= 2
        product *= factor
    assert product == rate
