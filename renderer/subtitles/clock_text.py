"""Times of cues as files write them: `00:01:02,500 --> 00:01:04,000`."""

from __future__ import annotations

import re
from typing import Final

ARROW: Final = "-->"
_TIME: Final = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})", re.ASCII)
_SIXTY: Final = 60


def read_times(line: str, number: int) -> tuple[int, int, str]:
    """Start and end in milliseconds, and what stands behind them on line `number`.

    Raises:
        ValueError: a time is none, or the end is not after the start.

    """
    begins, _, rest = line.partition(ARROW)
    ends, _, more = rest.strip().partition(" ")
    start_ms, end_ms = _milliseconds(begins, number), _milliseconds(ends, number)
    if end_ms < start_ms:
        raise ValueError(
            f"line {number}: the cue ends at {ends.strip()}, before it begins at "
            f"{begins.strip()}; swap the two"
        )
    return start_ms, end_ms, more.strip()


def _milliseconds(text: str, number: int) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"line {number}: {text.strip()!r:.80} is no time; write it like 00:01:02,500"
        )
    hours, minutes, seconds, part = found.groups()
    if int(minutes) >= _SIXTY or int(seconds) >= _SIXTY:
        raise ValueError(
            f"line {number}: {text.strip()!r} has minutes or seconds over 59; "
            "write it like 00:01:02,500"
        )
    whole = (int(hours or 0) * _SIXTY + int(minutes)) * _SIXTY + int(seconds)
    return whole * 1000 + int(part.ljust(3, "0"))


def written(time_ms: int, *, point: str = ",") -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, second = divmod(seconds, _SIXTY)
    return f"{minutes // _SIXTY:02}:{minutes % _SIXTY:02}:{second:02}{point}{ms:03}"
