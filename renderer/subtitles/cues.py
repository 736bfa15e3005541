"""Cues: what subtitles say when, whatever kind of file they come from. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BOTTOM: Final = 2


class SubtitleFormat(StrEnum):
    SRT = "srt"
    WEBVTT = "vtt"
    ASS = "ass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How letters look. `color` is like "ff8000"; empty for the usual one."""

    bold: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    color: str = ""


PLAIN: Final = Style()


@dataclass(frozen=True, slots=True)
class Span:
    """Letters of one style. Lines end with a line feed."""

    text: str
    style: Style = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What is shown from `start_ms` up to, but not at, `end_ms` of the file's own time.

    `place` is where on the picture, by the keys of a number pad: 2 is the middle of the bottom.
    """

    start_ms: int
    end_ms: int
    spans: tuple[Span, ...]
    place: int = BOTTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file of subtitles: its cues by their starts and, of an ASS file, the whole text."""

    format: SubtitleFormat
    cues: tuple[Cue, ...]
    text: str = ""
