"""Subtitles read from SRT, WebVTT and ASS, and what is wrong with those that cannot be."""

from __future__ import annotations

from fractions import Fraction

import pytest

from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange, FrameRate
from renderer.settings import RenderSettings
from renderer.subtitles import srt, webvtt
from renderer.subtitles.ass import event_text
from renderer.subtitles.burning import BurnedSubtitles, burned, frames_before, whole_script
from renderer.subtitles.cues import Cue, Span, Style, SubtitleFormat
from renderer.subtitles.languages import language_code
from renderer.subtitles.reading import read_script
from renderer.subtitles.tags import plain
from renderer.subtitles.timing import frames_of, told_ms

NTSC = FrameRate(30000, 1001)
ASS = """[Script Info]
Title: x

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not this
Dialogue: 0,0:00:01.50,0:00:02.00,Default,,0,0,0,,{\\an8\\i1}Hi,{\\i0} you\\Nthere
Dialogue: 0,0:00:00.10,0:00:01.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}first
"""


def cues_of(name: str, text: str | bytes) -> tuple[Cue, ...]:
    return read_script(name, text if isinstance(text, bytes) else text.encode()).cues


def test_srt_is_read_with_its_tags() -> None:
    text = "1\r\n00:00:01,500 --> 00:01:02,000\r\n<b>Bold</b> & {\\an8}a < b\r\nnext\r\n\r\n"

    (cue,) = cues_of("a.srt", b"\xef\xbb\xbf" + text.encode())

    assert (cue.start_ms, cue.end_ms, cue.place) == (1500, 62_000, 8)
    assert cue.spans == (Span("Bold", Style(bold=True)), Span(" & a < b\nnext"))


def test_srt_without_numbers_or_order_is_read_too() -> None:
    text = "\n00:02.000 --> 00:03.5\nb\n\n\n00:01.000 --> 00:02.000 X1:1\na"

    cues = cues_of("a.srt", text)

    assert [(cue.start_ms, cue.end_ms, plain(cue.spans)) for cue in cues] == [
        (1000, 2000, "a"),
        (2000, 3500, "b"),
    ]


def test_webvtt_is_read_with_places_classes_and_entities() -> None:
    text = """WEBVTT - a title
Kind: captions

NOTE this is
none

STYLE
::cue { color: red }

intro
00:01.000 --> 01:00:02.500 line:10% align:start
<v Ann>Tom &amp; <c.yellow>Jerry</c> <00:01.500><i>run</i>
"""

    (cue,) = cues_of("a.vtt", text)

    assert (cue.start_ms, cue.end_ms, cue.place) == (1000, 3_602_500, 7)
    assert cue.spans == (
        Span("Tom & "),
        Span("Jerry", Style(color="ffff00")),
        Span(" "),
        Span("run", Style(italic=True)),
    )


def test_ass_is_read_by_its_own_format() -> None:
    first, second = cues_of("a.ass", ASS)

    assert (first.start_ms, plain(first.spans)) == (100, "first")
    assert (second.place, second.end_ms) == (8, 2000)
    assert second.spans == (Span("Hi,", Style(italic=True)), Span(" you\nthere"))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.txt", "", "a.txt ends in .txt; subtitles end in .srt, .vtt, .ass, .ssa"),
        ("a.srt", "\n", "a.srt, line 1: it holds no cue"),
        ("a.srt", "1\n00:00:61,000 --> 00:01:02,000\na", "line 2: '00:00:61,000' has minutes or"),
        ("a.srt", "1\n0:00:01 --> 0:00:02\na", "line 2: '0:00:01' is no time; write it like"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:01,000\na", "line 2: the cue ends at 00:00:01,000"),
        ("a.srt", "1\n00:01,000 --> 00:02,000\na\n\nb\nc", "line 5: 'b' is neither a cue's"),
        ("a.srt", b"1\n00:01,000 --> 00:02,000\n\xe9t\xe9", "line 3: byte 0xe9 is not UTF-8"),
        ("a.srt", "\ufeff1\n".encode("utf-16-le"), "line 1: it is UTF-16; save it as UTF-8"),
        ("a.srt", b"1\n\0", "line 2: a zero byte is no text"),
        ("a.vtt", "1\n00:01,000 --> 00:02,000\na", "line 1: '1' is not WEBVTT"),
        ("a.vtt", "WEBVTT\n\nb\nc", "line 3: 'b' is no cue"),
        ("a.ass", "[Events]\nDialogue: 0,1,2,a", "line 2: a Dialogue line of 4 fields"),
        ("a.ass", ASS.replace("0:00:01.50", "1.5"), "line 7: '1.5' is no time"),
        ("a.ass", ASS.replace("Start,", "Begin,"), "line 5: the format of events has Start"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(
    name: str, text: str | bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match="a") as caught:
        cues_of(name, text)

    assert problem in str(caught.value)


def test_cues_are_written_as_they_were_read() -> None:
    red = Style(bold=True, color="ff0000")
    cues = [
        Cue(start_ms=1, end_ms=3_723_004, spans=(Span("a < b\n"), Span("c", red)), place=7),
        Cue(start_ms=5, end_ms=6, spans=(Span("&amp;"),)),
    ]

    again = cues_of("a.srt", srt.write(cues))
    (first, second) = cues_of("a.vtt", webvtt.write(cues))

    assert again == tuple(cues)
    assert first.spans == (Span("a < b\n"), Span("c", Style(bold=True)))
    assert (first.place, second) == (7, cues[1])


def test_what_would_command_libass_is_shown() -> None:
    cue = Cue(
        start_ms=0,
        end_ms=1,
        spans=(Span(r"{\b1} C:\Nice" + "\n"), Span("x", Style(color="ff8000"))),
    )

    assert event_text(cue) == "\\{\\\u2060b1} C:\\\u2060Nice\\N{\\c&H0080ff&}x{\\r}"


def test_a_cue_is_in_the_frames_whose_time_is_in_it() -> None:
    cue = Cue(start_ms=1001, end_ms=1002, spans=())

    assert frames_of(cue, Fraction(0), NTSC) == FrameRange(30, 31)
    assert frames_of(cue, Fraction(1, 1000), NTSC) == FrameRange(31, 31)
    assert frames_of(cue, Fraction(-2), NTSC) == FrameRange(0, 0)


@pytest.mark.parametrize("rate", [NTSC, FrameRate(24), FrameRate(60), FrameRate(240)])
def test_a_told_time_has_the_frames_of_the_time_that_is_meant(rate: FrameRate) -> None:
    for thirds in range(500):
        time_s = Fraction(thirds, 3000)
        told_s = Fraction(told_ms(time_s, rate), 1000)
        assert [rate.seconds(n) >= told_s for n in range(50)] == [
            rate.seconds(n) >= time_s for n in range(50)
        ]
        assert abs(told_s - time_s) < Fraction(1, 1000)


def heap(*ranges: tuple[int, int]) -> BurnedSubtitles:
    lines = (
        f"{number}\n00:00:{start:02},000 --> 00:00:{stop:02},000\nx\n\n"
        for number, (start, stop) in enumerate(ranges)
    )
    return burned(read_script("a.srt", "".join(lines).encode()), Fraction(0), FrameRate(1))


@pytest.mark.parametrize(
    ("frame", "before"),
    [
        (0, ()),
        (5, ()),  # nothing is there any more
        (8, (6, 7)),
        (11, (6, 7, 9)),  # the first ones are gone, and were there with those that are not
        (12, ()),
        (21, ()),  # one follows the other, and never saw it
    ],
)
def test_frames_before_a_chunk_are_those_that_decide_where_its_cues_stand(
    frame: int, before: tuple[int, ...]
) -> None:
    subtitles = heap((0, 5), (6, 9), (7, 10), (9, 12), (20, 21), (21, 22))

    assert frames_before(subtitles, frame, FrameRate(1)) == before


def test_letters_are_as_large_on_a_picture_that_stands() -> None:
    subtitles = heap((0, 1))

    assert "PlayResX: 1920\nPlayResY: 1080" in whole_script(subtitles, (640, 360))
    assert "PlayResX: 1080\nPlayResY: 1920" in whole_script(subtitles, (1080, 1920))


def test_no_more_is_burned_in_than_a_chunk_task_can_carry() -> None:
    with pytest.raises(InvalidRequestError, match="over the limit of 1 MiB to burn in"):
        RenderSettings(burned_subtitles=(BurnedSubtitles(script="x" * (1 << 20) + "x"),))


@pytest.mark.parametrize(
    ("said", "code"),
    [("en", "eng"), ("de-AT", "deu"), ("pt_BR", "por"), ("gsw", "gsw"), ("", "und")],
)
def test_a_language_has_three_letters(said: str, code: str) -> None:
    assert language_code(said) == code


@pytest.mark.parametrize("said", ["english", "xx", "1", "e"])
def test_what_is_no_language_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="is no code of a language"):
        language_code(said)


def test_an_ass_file_is_drawn_as_it_is() -> None:
    script = read_script("a.ass", ASS.encode())

    assert script.format is SubtitleFormat.ASS
    assert burned(script, Fraction(1, 2), NTSC) == BurnedSubtitles(
        script=ASS, offset_s=Fraction(1, 2)
    )
