"""WebVTT: a header, then blocks with an empty line between two; those with an arrow are cues."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .clock_text import ARROW, read_times, written
from .cues import BOTTOM, Cue
from .tags import parse_tags, tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEADER: Final = re.compile(r"WEBVTT(?:[ \t].*)?")
_SETTING: Final = re.compile(r"(\w+):(\S+)", re.ASCII)
_COLUMNS: Final = {"start": 0, "left": 0, "end": 2, "right": 2}
_MIDDLE: Final = 1
_ROWS: Final = (7, 4, 1)  # the first number of each row of a pad, from the top
_PLACES: Final = {
    1: "align:start", 3: "align:end", 4: "line:50% align:start", 5: "line:50%",
    6: "line:50% align:end", 7: "line:0 align:start", 8: "line:0", 9: "line:0 align:end",
}  # fmt: skip


def parse(text: str) -> list[Cue]:
    """Read the cues. Style sheets, regions and notes are passed over.

    Raises:
        ValueError: with the number of the line that cannot be.

    """
    lines = text.split("\n")
    if not _HEADER.fullmatch(lines[0]):
        raise ValueError(f"line 1: {lines[0]!r:.80} is not WEBVTT, which WebVTT files begin with")
    return [cue for first, block in _blocks(lines) for cue in _cues(first, block)]


def write(cues: Iterable[Cue]) -> str:
    return "WEBVTT\n\n" + "".join(
        f"{written(cue.start_ms, point='.')} {ARROW} {written(cue.end_ms, point='.')}"
        f"{_setting(cue)}\n{tagged(cue.spans, has_colors=False)}\n\n"
        for cue in cues
    )


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Lines that follow each other without an empty one, and the number of the first."""
    first, block = 2, list[str]()
    for number, line in enumerate([*lines[1:], ""], start=2):
        if line.strip():
            block.append(line)
            continue
        if block:
            yield first, block
        first, block = number + 1, []


def _cues(first: int, block: list[str]) -> Iterator[Cue]:
    at = next((index for index, line in enumerate(block[:2]) if ARROW in line), None)
    if at is None:
        word = block[0].split()[0]
        if word in {"NOTE", "STYLE", "REGION"} or first == 2:  # or what belongs to the header
            return
        raise ValueError(
            f"line {first}: {block[0]!r:.80} is no cue: it has no times like "
            f"00:01.000 {ARROW} 00:02.500"
        )
    start_ms, end_ms, settings = read_times(block[at], first + at)
    yield Cue(
        start_ms=start_ms,
        end_ms=end_ms,
        spans=parse_tags("\n".join(block[at + 1 :]), has_entities=True),
        place=_place(dict(_SETTING.findall(settings))),
    )


def _place(settings: dict[str, str]) -> int:
    column = _COLUMNS.get(settings.get("align", ""), _MIDDLE)
    return _ROWS[_row(settings.get("line", ""))] + column


def _row(line: str) -> int:
    """Of three: a line of the top half is the top one; negative ones count from the bottom."""
    number = line.partition(",")[0]
    try:
        value = float(number.removesuffix("%"))
    except ValueError:
        return 2
    if number.endswith("%"):
        return 0 if value < 33 else 1 if value < 67 else 2
    return 0 if 0 <= value < 5 else 2


def _setting(cue: Cue) -> str:
    return "" if cue.place == BOTTOM else f" {_PLACES[cue.place]}"
