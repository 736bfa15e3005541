"""Options that all services have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from renderer.frames import parse_duration
from serving.logs import LogFormat

HOME = Path("~/.local/share/framefarm")


def seconds(text: str | float) -> float:
    try:
        found = float(parse_duration(str(text)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if found < 0:
        raise typer.BadParameter(f"{text} is negative")
    return found


LogAs = Annotated[
    LogFormat,
    typer.Option("--log-format", envvar="FRAMEFARM_LOG_FORMAT", help="On standard error."),
]
VerboseLog = Annotated[bool, typer.Option("-v", "--verbose", help="Log details too.")]
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", help="End when standard input does.", hidden=True)
]
