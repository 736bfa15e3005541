from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.audio.track_text import parse_track
from renderer.audio.tracks import Track
from renderer.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("a.wav", Track(source=Path("a.wav"))),
        ("a.wav,offset=2s", Track(source=Path("a.wav"), offset_s=Fraction(2))),
        ("a.wav,volume=0.8", Track(source=Path("a.wav"), volume=0.8)),
        (
            "a.wav,volume=0,offset=-1.5s",
            Track(source=Path("a.wav"), offset_s=Fraction(-3, 2), volume=0.0),
        ),
        ("a.wav,offset=500ms", Track(source=Path("a.wav"), offset_s=Fraction(1, 2))),
        ("one, two,three.wav", Track(source=Path("one, two,three.wav"))),
        ("one, two.wav,offset=1", Track(source=Path("one, two.wav"), offset_s=Fraction(1))),
        ("take=2.wav", Track(source=Path("take=2.wav"))),
        ("a,2=b.wav", Track(source=Path("a,2=b.wav"))),
        ("volume=1", Track(source=Path("volume=1"))),
        ("a.wav,loop,to=20s", Track(source=Path("a.wav"), loop=True, to_s=20)),
        (
            "a.wav,seek=1s,fade_in=500ms,fade-out=2,rate=1.5,from=3s",
            Track(source=Path("a.wav"), seek_s=1, fade_in_s=0.5, fade_out_s=2, rate=1.5, from_s=3),
        ),
    ],
)
def test_a_track_reads_as_people_write_it(text: str, track: Track) -> None:
    assert parse_track(text) == track


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.wav,speed=1", "'speed' is no option of a sound; known are offset, seek, volume"),
        ("a.wav,loop=1", "loop takes no value; write FILE,loop"),
        ("a.wav,loop,loop", "loop is given twice"),
        ("a.wav,seek=-1s", "the seek -1 s is before 0; give 0 or more"),
        ("a.wav,fade_in=-1", "the fade_in -1 s is before 0"),
        ("a.wav,from=3s,to=2s", "to 2 s is not after from 3 s, and nothing would be heard"),
        ("a.wav,rate=0", "the rate 0 is outside 0.0625…16; 1 changes nothing"),
        ("a.wav,rate=nan", "the rate nan is outside"),
        ("a.wav,gain=2,volume=1", "'gain' is no option"),
        ("a.wav,offset=1s,offset=2s", "offset is given twice"),
        ("a.wav,offset=soon", "offset: 'soon' is not a duration"),
        ("a.wav,offset=", "not a duration"),
        ("a.wav,volume=loud", "volume: 'loud' is not a number"),
        ("a.wav,volume=-1", "the volume -1 is outside 0…100"),
        ("a.wav,volume=nan", "the volume nan is outside"),
        ("a.wav,volume=inf", "the volume inf is outside"),
        ("a.wav,offset=700000s", "the offset 700000 s is beyond ±604800 s"),
        ("", "names no file"),
        (",offset=2s", "names no file"),
    ],
)
def test_a_track_that_cannot_be_is_refused_with_the_remedy(text: str, words: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse_track(text)

    assert words in str(refused.value)
    assert {violation.field for violation in refused.value.violations} == {"audio"}


def test_all_that_is_wrong_with_a_track_is_said_at_once() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        Track(source=Path("a.wav"), offset_s=Fraction(-(10**9)), volume=-1)

    assert len(refused.value.violations) == 2


@given(
    st.text(min_size=1).filter(lambda name: "=" not in name and "\0" not in name),
    st.integers(-600_000, 600_000),
    st.floats(0, 100),
)
def test_any_name_without_an_equals_sign_keeps_its_commas(
    name: str, offset_ms: int, volume: float
) -> None:
    sign = "-" if offset_ms < 0 else ""
    track = parse_track(f"{name},offset={sign}{abs(offset_ms)}ms,volume={volume!r}")

    assert track == Track(source=Path(name), offset_s=Fraction(offset_ms, 1000), volume=volume)


def test_times_are_exact_however_they_are_given() -> None:
    track = Track(source=Path("a.wav"), offset_s=0.1, seek_s=3)

    assert (track.offset_s, track.seek_s) == (Fraction(1, 10), Fraction(3))


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="the offset nan is no time"):
        Track(source=Path("a.wav"), offset_s=float("nan"))
