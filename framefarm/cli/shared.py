"""Options that several commands share, beside the rendering ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from framefarm.patience import WAIT_S

from .console import Verbosity
from .display import ProgressMode
from .service_options import seconds

Farm = Annotated[
    str,
    typer.Option(
        "--farm",
        envvar="FRAMEFARM_FARM",
        help="The coordinator's HOST:PORT.",
        metavar="ADDRESS",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        envvar="FRAMEFARM_WAIT",
        parser=seconds,
        metavar="DURATION",
        help="For a farm that takes nothing now: its queue or disk is full, its database down.",
        show_default=f"{WAIT_S:.0f}s",
    ),
]
Outputs = Annotated[
    list[str],
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="A file to write, whose ending says of which kind; may be given again. FILE,crf=30 "
        "has options of its own, poster.png@3s is one frame, sound.wav the sound alone.",
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(
        "--manifest", help="A file for a line of JSON about each frame.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and only that.")]
Progress = Annotated[
    ProgressMode,
    typer.Option(
        "--progress", help="auto: live on a terminal, plain elsewhere; json: events on stderr."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Print the page's console and chunks too.")
]


def verbosity_of(*, quiet: bool, verbose: bool) -> Verbosity:
    if quiet and verbose:
        raise typer.BadParameter("-q and -v say the opposite; drop one")
    if quiet:
        return Verbosity.QUIET
    return Verbosity.VERBOSE if verbose else Verbosity.NORMAL
