"""`framefarm sheet`: evenly spaced frames of a page, with their times, as one picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from framefarm.contact_sheet import RenderedSheet, SheetWish, make_sheet
from framefarm.preparation import Place
from framefarm.request import RenderOptions

from .console import Verbosity, give_json, say
from .display import ProgressMode, open_display
from .options import takes_rendering_options, with_props_read
from .render import SourceArgument
from .running import run
from .shared import Farm, Json, Progress, Quiet, Verbose, verbosity_of


@takes_rendering_options
def sheet(
    context: typer.Context,
    source: SourceArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .png, .jpg or .webp file.")],
    options: RenderOptions,
    columns: Annotated[int, typer.Option("--columns", help="Frames in a row.")] = 4,
    count: Annotated[int, typer.Option("--count", help="How many frames.")] = 16,
    cell_width: Annotated[
        int, typer.Option("--cell-width", help="Of each frame on the sheet, in pixels.")
    ] = 320,
    farm: Farm = "",
    as_json: Json = False,
    progress: Progress = ProgressMode.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render evenly spaced frames of a page, and no others, to one picture."""
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    wish = SheetWish(output=output, columns=columns, count=count, cell_width_px=cell_width)
    place = Place(farm=farm or None, ahead=context.obj)

    async def work() -> RenderedSheet:
        with open_display(progress, verbosity) as display:
            given = with_props_read(options)
            return await make_sheet(source, given, wish, place, display)

    made = run(work(), verbosity=verbosity)
    if as_json:
        give_json(asdict(made) | {"output": str(made.output)})
    elif verbosity is not Verbosity.QUIET:
        say(f"{made.output}: {len(made.frames)} frames in {made.seconds:.1f} s")
    if verbosity is not Verbosity.QUIET:
        for warning in made.warnings:
            say(f"warning: {warning}")
