"""What users say of subtitles, metadata and chapters."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from framefarm.extras import ExtraWish, bundled, read_extras
from framefarm.problems import Problems
from framefarm.request import RenderOptions
from renderer.encode.chapter_text import parse_chapter, parse_chapters
from renderer.encode.metadata import Chapter
from renderer.errors import InvalidRequestError
from renderer.subtitles.track_text import parse_subtitles
from renderer.subtitles.tracks import SubtitlesMode, SubtitleTrack

SRT = "1\n00:00:00,000 --> 00:00:01,000\nHi\n"


NEITHER = (
    "'1' is neither a cue's number nor its times; cues begin like 00:00:01,000 --> 00:00:02,500, "
    "with an empty line before"
)


def extras(**said: Any) -> ExtraWish:
    problems = Problems()
    wish = read_extras(cast("RenderOptions", said), problems)
    problems.raise_if_any()
    return wish


def test_subtitles_are_written_like_sounds() -> None:
    assert parse_subtitles("a, b.srt,offset=-1.5s,lang=pt-BR,title=In it") == SubtitleTrack(
        source=Path("a, b.srt"), offset_s=Fraction(-3, 2), language="pt-BR", title="In it"
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (",lang=en", "names no file; write FILE,lang=en"),
        ("a.srt,size=3", "'size' is no option of subtitles; known are lang, title, offset"),
        ("a.srt,lang=en,lang=de", "lang is given twice"),
        ("a.srt,offset=soon", "'soon' is not a duration"),
    ],
)
def test_subtitles_that_are_not_said_right_are_refused(said: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_subtitles(said)


def test_everything_is_understood(tmp_path: Path) -> None:
    film = tmp_path / "film.srt"
    film.write_text(SRT)
    (tmp_path / "chapters.txt").write_text("# mine\n00:00 One\n\n1:02:03.5 Two words\n")

    wish = extras(
        subtitles=[f"{film},lang=en", SubtitleTrack(source=film)],
        subtitles_mode="stream",
        title="T",
        comment="C",
        metadata=["Album = A=B"],
        chapters=tmp_path / "chapters.txt",
        chapter=["90s=Between"],
        creation_time="2024-01-02T03:04:05+01:00",
    )

    assert wish.mode is SubtitlesMode.STREAM
    assert [track.language for track in wish.subtitles] == ["en", ""]
    assert wish.metadata.tags == (("title", "T"), ("comment", "C"), ("album", "A=B"))
    assert wish.metadata.chapters == (
        Chapter(Fraction(0), "One"),
        Chapter(Fraction(90), "Between"),
        Chapter(Fraction(7447, 2), "Two words"),
    )
    assert wish.metadata.created_at == datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert [(file.source.entry, folder) for file, folder, _ in bundled(wish)] == [
        ("film.srt", tmp_path.resolve())
    ] * 2


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "broken.srt"
    broken.write_text("1\nsoon\nHi\n")
    (tmp_path / "chapters").write_text("00:00 One\nlater\n")

    with pytest.raises(InvalidRequestError) as caught:
        extras(
            subtitles=[f"{broken}", f"{tmp_path / 'none.srt'}", f"{broken},lang=english"],
            subtitles_mode="both",
            metadata=["album"],
            chapters=str(tmp_path / "chapters"),
            chapter=["One"],
            creation_time="today",
        )

    assert [str(violation) for violation in caught.value.violations] == [
        f"subtitles: broken.srt, line 1: {NEITHER}",
        f"subtitles: {tmp_path / 'none.srt'} does not exist",
        "subtitles: lang: 'english' is no code of a language; write it like en, pt-BR or deu",
        "subtitles_mode: 'both' is unknown; use burn or stream",
        "metadata: 'album' has no value; write it like album=Summer",
        "chapter: 'One' is no chapter; write it like 10s=Title",
        "chapters: chapters, line 2: 'later' is no time; write it like 00:10 or 10s",
        "creation_time: 'today' is no ISO 8601 time; write it like 2024-01-01T12:00:00Z, or now",
    ]


def test_chapters_of_ffmpegs_own_files_are_read() -> None:
    text = (
        ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=9\n"
        "title=A\\=B\\\\\n[STREAM]\ntitle=no\n[CHAPTER]\nSTART=0\nEND=1\n"
    )

    assert parse_chapters(text) == [
        Chapter(Fraction(0), "Chapter at 0 s"),
        Chapter(Fraction(3, 2), "A=B\\"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: it holds no chapter"),
        ("00:10\n", "line 1: '00:10' has no title"),
        ("00:61 A\n", "line 1: '00:61' has seconds over 59"),
        (";FFMETADATA1\n[CHAPTER]\nSTART=x\n", "line 2: this chapter needs TIMEBASE=1/1000"),
    ],
)
def test_chapters_that_cannot_be_read_are_named_by_their_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_chapters(text)


def test_a_chapter_is_written_with_a_time_of_any_kind() -> None:
    assert parse_chapter("1:05.25=A = B") == Chapter(Fraction(261, 4), "A = B")
    assert parse_chapter("500ms=A") == Chapter(Fraction(1, 2), "A")
