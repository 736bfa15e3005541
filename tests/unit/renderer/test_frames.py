from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.frames import GRID_US, FrameRange, FrameRate, frames_in, parse_duration

RATES = ["1", "12.5", "23.976", "24", "25", "29.97", "30", "50", "59.94", "60", "120", "240"]
rates = st.builds(FrameRate, st.integers(1, 240_000), st.integers(1, 100_000)).filter(
    lambda rate: rate.fraction <= 240
)


def test_a_range_holds_its_start_and_not_its_stop() -> None:
    frames = FrameRange(3, 6)

    assert list(frames) == [3, 4, 5]
    assert len(frames) == 3
    assert str(frames) == "[3, 6)"


def test_an_empty_range_is_a_range() -> None:
    assert list(FrameRange(5, 5)) == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (5, 4)])
def test_a_range_that_runs_backwards_or_begins_before_zero_cannot_be(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="0 <= start <= stop"):
        FrameRange(start, stop)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30", FrameRate(30)),
        (" 25 ", FrameRate(25)),
        ("30.000", FrameRate(30)),
        ("12.5", FrameRate(25, 2)),
        ("29.97", FrameRate(30000, 1001)),
        ("29.970029", FrameRate(30000, 1001)),
        ("23.98", FrameRate(24000, 1001)),
        ("23.976", FrameRate(24000, 1001)),
        ("59.94", FrameRate(60000, 1001)),
        ("119.88", FrameRate(120000, 1001)),
        ("29.9", FrameRate(299, 10)),
        ("30000/1001", FrameRate(30000, 1001)),
        ("2997/100", FrameRate(2997, 100)),  # a fraction means what it says
        ("60/2", FrameRate(30)),
    ],
)
def test_a_rate_reads_as_people_write_it(text: str, rate: FrameRate) -> None:
    assert FrameRate.parse(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-30", "0/5", "30/0", "30/-1", "fast", "nan", "inf", "1e3", "1e999999999"),
        *("3_0", "30/1/1", "30 fps", "1/2.5", "٣٠", "9" * 5000),
    ],
)
def test_what_is_no_rate_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="frame rate"):
        FrameRate.parse(text)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (-30, 1), (30, 0), (-30, -1)])
def test_a_rate_is_positive(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        FrameRate(numerator, denominator)


def test_equal_rates_are_equal_values() -> None:
    assert FrameRate(60, 2) == FrameRate(30)
    assert hash(FrameRate(60, 2)) == hash(FrameRate(30))
    assert str(FrameRate(60_000, 2_002)) == "30000/1001"


@given(rates)
def test_a_rate_reads_back_from_its_text(rate: FrameRate) -> None:
    again = FrameRate.parse(str(rate))

    assert again == rate


@given(rates, st.integers(1, 2_000_000))
def test_a_frames_time_is_on_the_grid_a_little_after_its_exact_one(
    rate: FrameRate, frame: int
) -> None:
    time_us = rate.time_us(frame)

    assert time_us % GRID_US == 0
    assert 0 < time_us - 1_000_000 * frame / rate.fraction <= GRID_US


def test_the_first_frame_is_at_zero() -> None:
    assert FrameRate(30).time_us(0) == 0


@pytest.mark.parametrize("text", RATES)
def test_a_page_that_counts_frames_by_its_clock_counts_right(text: str) -> None:
    rate = FrameRate.parse(text)

    # As a page does it, in doubles and milliseconds.
    counted = [
        math.floor(rate.time_us(frame) / 1000 * float(rate.fraction) / 1000)
        for frame in range(20_000)
    ]

    assert counted == list(range(20_000))


@given(rates, st.integers(1, 1_000_000))
def test_as_many_frames_as_last_a_duration_are_in_it(rate: FrameRate, frames: int) -> None:
    assert frames_in(rate.seconds(frames), rate) == frames


@pytest.mark.parametrize(
    ("duration", "fps", "frames"),
    [
        ("1s", "30", 30),
        ("1s", "29.97", 30),
        ("10s", "23.976", 240),
        ("0.5s", "25", 13),  # 12.5: half a frame rounds up
        ("500ms", "24", 12),
        ("1ms", "24", 1),  # never none
        ("100s", "29.97", 2997),
    ],
)
def test_a_duration_is_rounded_to_the_nearest_frame(duration: str, fps: str, frames: int) -> None:
    assert frames_in(parse_duration(duration), FrameRate.parse(fps)) == frames


@pytest.mark.parametrize("duration", ["0", "-5s"])
def test_no_frames_are_in_a_duration_that_is_not_positive(duration: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        frames_in(parse_duration(duration), FrameRate(30))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", "5"),
        ("1.5", "1.5"),
        ("-2", "-2"),
        ("5s", "5"),
        (" 0.1s ", "0.1"),
        ("500ms", "0.5"),
        ("2m", "120"),
        ("1m30s", "90"),
        ("1m500ms", "60.5"),
        ("1m2.5s", "62.5"),
        ("2s5ms", "2.005"),
        ("-1m30s", "-90"),
    ],
)
def test_a_duration_reads_as_people_write_it(text: str, seconds: str) -> None:
    assert parse_duration(text) == Fraction(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "m", "-", "five", "5h", "1s1m", "5 s", "1e3", "nan", "1.5m", "5s!", "--5s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.integers(0, 10_000), st.integers(0, 59), st.integers(0, 999))
def test_minutes_seconds_and_milliseconds_add_up(minutes: int, seconds: int, ms: int) -> None:
    assert parse_duration(f"{minutes}m{seconds}s{ms}ms") == minutes * 60 + seconds + Fraction(
        ms, 1000
    )
