"""Files of subtitles → cues. What cannot be read is named by its line."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from . import ass, srt, webvtt
from .cues import Script, SubtitleFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cues import Cue

MAX_SUBTITLE_BYTES: Final = 16 << 20

_FORMATS: Final = {
    ".srt": SubtitleFormat.SRT,
    ".vtt": SubtitleFormat.WEBVTT,
    ".ass": SubtitleFormat.ASS,
    ".ssa": SubtitleFormat.ASS,
}
_PARSERS: Final[dict[SubtitleFormat, Callable[[str], list[Cue]]]] = {
    SubtitleFormat.SRT: srt.parse,
    SubtitleFormat.WEBVTT: webvtt.parse,
    SubtitleFormat.ASS: ass.parse,
}
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def format_of(name: str) -> SubtitleFormat:
    """The format that a file's name tells.

    Raises:
        ValueError: it tells none.

    """
    ending = PurePath(name).suffix.lower()
    if ending not in _FORMATS:
        said = f"ends in {ending}" if ending else "has no ending"
        raise ValueError(f"{name} {said}; subtitles end in {', '.join(_FORMATS)}")
    return _FORMATS[ending]


def read_script(name: str, data: bytes) -> Script:
    """Read a file of subtitles.

    Raises:
        ValueError: it cannot be read; with its name, the line, and what to do.

    """
    kind = format_of(name)
    if len(data) > MAX_SUBTITLE_BYTES:
        limit = f"{MAX_SUBTITLE_BYTES >> 20} MiB"
        raise ValueError(f"{name} has {len(data)} bytes, over the limit of {limit}; cut it up")
    try:
        text = _decoded(data)
        cues = _PARSERS[kind](text)
    except ValueError as error:
        raise ValueError(f"{name}, {error}") from error
    if not cues:
        raise ValueError(f"{name}, line 1: it holds no cue; is it really {kind}?")
    cues.sort(key=lambda cue: cue.start_ms)
    return Script(format=kind, cues=tuple(cues), text=text if kind is SubtitleFormat.ASS else "")


def _decoded(data: bytes) -> str:
    """UTF-8, with a mark of byte order or without, and lines that end in one way."""
    if data.startswith(_UTF16_MARKS):
        raise ValueError("line 1: it is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        found = f"0x{data[error.start]:02x}"
        raise ValueError(f"line {line}: byte {found} is not UTF-8; save it as UTF-8") from error
    if "\0" in text:
        line = 1 + text.count("\n", 0, text.index("\0"))
        raise ValueError(f"line {line}: a zero byte is no text; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
