"""SRT: numbered cues, an empty line between two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .clock_text import ARROW, read_times, written
from .cues import BOTTOM, Cue
from .tags import parse_tags, tagged

if TYPE_CHECKING:
    from collections.abc import Iterable

# What editors borrow from ASS: a place; everything else in such braces is left out.
_PLACE: Final = re.compile(r"\{\\an([1-9])\}")
_BRACES: Final = re.compile(r"\{\\[^}]*\}")


def parse(text: str) -> list[Cue]:
    """Read the cues.

    Raises:
        ValueError: with the number of the line that cannot be.

    """
    lines = text.split("\n")
    cues: list[Cue] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        at = _to_times(lines, at)
        start_ms, end_ms, _ = read_times(lines[at], at + 1)
        last = _end_of_text(lines, at + 1)
        cues.append(_cue(start_ms, end_ms, "\n".join(lines[at + 1 : last])))
        at = last
    return cues


def write(cues: Iterable[Cue]) -> str:
    return "".join(
        f"{number}\n{written(cue.start_ms)} {ARROW} {written(cue.end_ms)}\n"
        f"{_placed(cue)}{tagged(cue.spans, has_colors=True)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def _to_times(lines: list[str], at: int) -> int:
    """The line of a cue's times: the first of its block, or the one below its number."""
    if ARROW in lines[at]:
        return at
    if at + 1 < len(lines) and ARROW in lines[at + 1]:
        return at + 1
    raise ValueError(
        f"line {at + 1}: {lines[at].strip()!r:.80} is neither a cue's number nor its times; "
        f"cues begin like 00:00:01,000 {ARROW} 00:00:02,500, with an empty line before"
    )


def _end_of_text(lines: list[str], at: int) -> int:
    """The empty line below a text that begins here."""
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _cue(start_ms: int, end_ms: int, text: str) -> Cue:
    place = _PLACE.search(text)
    return Cue(
        start_ms=start_ms,
        end_ms=end_ms,
        spans=parse_tags(_BRACES.sub("", text)),
        place=int(place[1]) if place else BOTTOM,
    )


def _placed(cue: Cue) -> str:
    return "" if cue.place == BOTTOM else f"{{\\an{cue.place}}}"
