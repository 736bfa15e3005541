"""How people write chapters: `10s=Title`, lines like `00:10 Title`, or ffmpeg's own files."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.frames import parse_duration

from .metadata import Chapter

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOCK: Final = re.compile(r"(?:(\d{1,4}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,9}))?", re.ASCII)
_FFMPEG: Final = ";FFMETADATA"
_PAIR: Final = re.compile(r"((?:[^=\\]|\\.)*)=(.*)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_NANOSECOND: Final = "1/1000000000"  # ffmpeg's, where a file says no other


def parse_chapter(text: str) -> Chapter:
    """Read `10s=Title` or `1:05.5=Title`.

    Raises:
        ValueError: it has no time, or no title.

    """
    time, equals, title = text.partition("=")
    if not equals or not title.strip():
        raise ValueError(f"{text!r:.80} is no chapter; write it like 10s=Title")
    return Chapter(_seconds(time.strip()), title.strip())


def parse_chapters(text: str) -> list[Chapter]:
    """Read a file of chapters, in the order of their times.

    Raises:
        ValueError: with the line that cannot be read.

    """
    lines = text.removeprefix("\ufeff").splitlines()
    is_ffmpegs = bool(lines) and lines[0].startswith(_FFMPEG)
    chapters = list(_sections(lines) if is_ffmpegs else _plain(lines))
    if not chapters:
        raise ValueError("line 1: it holds no chapter; write lines like 00:10 Title")
    return sorted(chapters, key=lambda chapter: chapter.start_s)


def _plain(lines: list[str]) -> Iterator[Chapter]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        time, _, title = line.strip().partition(" ")
        try:
            start_s = _seconds(time)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if not title.strip():
            raise ValueError(f"line {number}: {line.strip()!r:.80} has no title; write 00:10 Title")
        yield Chapter(start_s, title.strip())


def _sections(lines: list[str]) -> Iterator[Chapter]:
    """The chapters of a file that ffmpeg wrote, or could read."""
    starts = [index for index, line in enumerate(lines) if line.strip() == "[CHAPTER]"]
    for first in starts:
        said: dict[str, str] = {}
        for line in lines[first + 1 :]:
            if line.startswith("["):
                break
            if not line.startswith((";", "#")) and (pair := _PAIR.fullmatch(line)):
                said[pair[1].strip().lower()] = _ESCAPE.sub(r"\1", pair[2])
        yield _section(said, first + 1)


def _section(said: dict[str, str], number: int) -> Chapter:
    try:
        start_s = int(said["start"]) * Fraction(said.get("timebase", _NANOSECOND))
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"line {number}: this chapter needs TIMEBASE=1/1000 and START=, a whole number"
        ) from error
    return Chapter(start_s, said.get("title", "").strip() or f"Chapter at {float(start_s):g} s")


def _seconds(text: str) -> Fraction:
    """A duration like 10s, or what a clock shows."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        try:
            return parse_duration(text)
        except ValueError:
            raise ValueError(f"{text!r:.80} is no time; write it like 00:10 or 10s") from None
    hours, minutes, seconds, part = found.groups()
    if int(seconds) >= 60:
        raise ValueError(f"{text!r} has seconds over 59; write it like 00:10")
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole + Fraction(f"0.{part or 0}")
