"""Tracks: the subtitles that a job is given, and what becomes of them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from renderer.encode.codec_facts import Container

from .cues import SubtitleFormat
from .languages import language_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_OFFSET_S: Final = 7 * 24 * 3600
MAX_TITLE: Final = 200


class SubtitlesMode(StrEnum):
    """BURN draws them into the pictures, STREAM writes them beside."""

    BURN = "burn"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleOptions:
    """What is said of a file of subtitles.

    Its time 0 is at `offset_s` of the composition's timeline. `language` is a code of ISO 639 of
    two or three letters; a stream tells it, and the title.
    """

    offset_s: Fraction | float = Fraction(0)
    language: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.offset_s, Fraction):
            object.__setattr__(self, "offset_s", Fraction(str(self.offset_s)))

    @property
    def offset(self) -> Fraction:
        return Fraction(self.offset_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleTrack(SubtitleOptions):
    """A file of this machine."""

    source: Path


# What a stream of each format is in a container, by ffprobe's names.
STREAMS: Final[Mapping[Container, Mapping[SubtitleFormat, str]]] = {
    Container.MP4: dict.fromkeys(SubtitleFormat, "mov_text"),
    Container.MOV: dict.fromkeys(SubtitleFormat, "mov_text"),
    Container.MKV: {
        SubtitleFormat.SRT: "subrip",
        SubtitleFormat.WEBVTT: "subrip",
        SubtitleFormat.ASS: "ass",
    },
    Container.WEBM: dict.fromkeys(SubtitleFormat, "webvtt"),
}


def option_problems(options: SubtitleOptions) -> Iterator[tuple[str, str]]:
    """What cannot be, by the names of options."""
    if abs(options.offset) > MAX_OFFSET_S:
        yield "offset", f"{float(options.offset):g} s is over a week; give less"
    if len(options.title) > MAX_TITLE or not options.title.isprintable():
        yield "title", f"it has to be one line of at most {MAX_TITLE} characters"
    try:
        language_code(options.language)
    except ValueError as error:
        yield "lang", str(error)


def stream_problem(container: Container) -> str | None:
    """Why a container holds no stream of subtitles, and which ones do."""
    if container in STREAMS:
        return None
    able = ", ".join(STREAMS)
    return (
        f"{container} files hold no stream of subtitles; use --subtitles-mode burn, "
        f"which draws them into the pictures, or one of {able}"
    )
