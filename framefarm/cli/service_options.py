"""Options that all services have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from renderer.frames import parse_duration
from serving.logs import LogFormat

HOME = Path("~/.local/share/framefarm")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB|i|B)?", re.IGNORECASE)
_POWERS = ("", "K", "M", "G", "T")
_LONG = re.compile(r"(\d+(?:\.\d+)?)([dh])")
_LONG_S = {"d": 86_400.0, "h": 3_600.0}


def seconds(text: str | float) -> float:
    try:
        found = float(parse_duration(str(text)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if found < 0:
        raise typer.BadParameter(f"{text} is negative")
    return found


def age_s(text: str | float) -> float:
    """Read a time that may be long: 30d, 12h, or as `seconds` does."""
    match = _LONG.fullmatch(str(text).strip())
    return float(match[1]) * _LONG_S[match[2]] if match else seconds(text)


def size_bytes(text: str | int) -> int:
    """Read a number of bytes: 500MiB, 2G, or just a number. Units are powers of 1024."""
    match = _SIZE.fullmatch(str(text).strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is no size; write it like 500MiB or 2GiB")
    return int(float(match[1]) * 1024 ** _POWERS.index(match[2].upper()))


LogAs = Annotated[
    LogFormat,
    typer.Option("--log-format", envvar="FRAMEFARM_LOG_FORMAT", help="On standard error."),
]
VerboseLog = Annotated[bool, typer.Option("-v", "--verbose", help="Log details too.")]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", help="End when standard input does.", hidden=True)
]
