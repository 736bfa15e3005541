"""How people write a track: `FILE,offset=2s,volume=0.8,loop`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from renderer.errors import InvalidRequestError, Violation
from renderer.frames import parse_duration

from .tracks import Track

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

_OPTION: Final = re.compile(r"(?P<key>[A-Za-z_-]+)=(?P<value>.*)", re.DOTALL)
_LOOP: Final = "loop"
_TIMES: Final = {
    "offset": "offset_s",
    "seek": "seek_s",
    "fade_in": "fade_in_s",
    "fade_out": "fade_out_s",
    "from": "from_s",
    "to": "to_s",
}
_NUMBERS: Final = ("volume", "rate")
_KNOWN: Final = ("offset", "seek", "volume", "fade_in", "fade_out", "loop", "rate", "from", "to")


def parse_track(text: str) -> Track:
    """Read `FILE,offset=2s,volume=0.8,loop`. Commas in the file's name are fine.

    Raises:
        InvalidRequestError: an unknown option, or a value that cannot be.

    """
    source, options = _split(text)
    if not source:
        raise InvalidRequestError([_wrong(f"{text!r} names no file; write FILE,offset=2s")])
    given: dict[str, Any] = {}
    for key, value in options.items():
        if key in _TIMES:
            given[_TIMES[key]] = _read(key, value, _seconds)
        elif key in _NUMBERS:
            given[key] = _read(key, value, _number)
        else:
            given[key] = True
    return Track(source=Path(source), **given)


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Take `key=value` parts, and `loop`, off the end for as long as there are any."""
    options: dict[str, str] = {}
    while (cut := text.rpartition(","))[1]:
        option = _OPTION.fullmatch(cut[2])
        if option is None and cut[2] != _LOOP:
            break
        key = option["key"].replace("-", "_") if option else _LOOP
        if problem := _option_problem(key, option is not None):
            raise InvalidRequestError([_wrong(problem)])
        if key in options:
            raise InvalidRequestError([_wrong(f"{key} is given twice in {text!r}; drop one")])
        options[key] = option["value"] if option else ""
        text = cut[0]
    return text, options


def _option_problem(key: str, has_value: bool) -> str | None:
    if key not in _KNOWN:
        return f"{key!r} is no option of a sound; known are {', '.join(_KNOWN)}"
    if key == _LOOP and has_value:
        return "loop takes no value; write FILE,loop"
    return None


def _read(key: str, value: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise InvalidRequestError([_wrong(f"{key}: {error}")]) from error


def _seconds(text: str) -> Fraction:
    return parse_duration(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; write it like 0.8") from None


def _wrong(problem: str) -> Violation:
    return Violation("audio", problem)
