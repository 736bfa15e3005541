from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.audio.mix import SAMPLE_RATE, delay_in_samples, samples_in
from renderer.audio.tracks import Track
from renderer.encode.probe import SoundFacts
from renderer.frames import FrameRange, FrameRate

NTSC = FrameRate(30000, 1001)


def facts(lead_s: Fraction = Fraction(0)) -> SoundFacts:
    return SoundFacts(codec="pcm_s16le", channels=2, sample_rate=48_000, lead_s=lead_s)


def track(offset_s: str) -> Track:
    return Track(source=Path("a.wav"), offset_s=Fraction(offset_s))


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
    assert samples_in(FrameRange(100, 100 + frames), rate) == samples


@pytest.mark.parametrize(
    ("offset_s", "start", "delay"),
    [
        ("0", 0, 0),
        ("2", 0, 96_000),
        ("2", 45, 24_000),
        ("0", 45, -72_000),
        ("-1/2", 0, -24_000),
        ("1.5", 45, 0),
    ],
)
def test_offsets_are_on_the_compositions_timeline(offset_s: str, start: int, delay: int) -> None:
    frames = FrameRange(start, start + 10)

    assert delay_in_samples(track(offset_s), facts(), frames, FrameRate(30)) == delay


def test_a_sound_that_begins_late_in_its_file_stays_late() -> None:
    late = facts(lead_s=Fraction(1, 4))

    assert delay_in_samples(track("1"), late, FrameRange(0, 1), FrameRate(30)) == 60_000


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from([NTSC, FrameRate(24), NTSC]))
def test_a_sounds_place_is_right_to_half_a_sample(start: int, frames: int, rate: FrameRate) -> None:
    delay = delay_in_samples(track("5"), facts(), FrameRange(start, start + frames), rate)

    exact = SAMPLE_RATE * (5 - start / rate.fraction)
    assert abs(delay - exact) <= Fraction(1, 2)
