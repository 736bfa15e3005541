"""`framefarm still`: one frame of a page as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from framefarm.preparation import OutputFiles, Place
from framefarm.problems import Problems
from framefarm.queue_options import QueueOptions
from framefarm.request import RenderOptions

from .display import ProgressMode
from .options import takes_rendering_options
from .queue_options import takes_queue_options
from .render import SourceArgument, Watched, render_and_tell
from .running import run
from .shared import Farm, Json, Progress, Quiet, Verbose, verbosity_of

_OF_A_FILM: Final = ("frames", "duration", "start_frame", "chunk_frames")


@takes_rendering_options
@takes_queue_options
def still(
    context: typer.Context,
    source: SourceArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .png, .jpg or .webp file.")],
    options: RenderOptions,
    queue: QueueOptions,
    frame: Annotated[int, typer.Option("--frame", min=0, help="Which one.")] = 0,
    farm: Farm = "",
    as_json: Json = False,
    progress: Progress = ProgressMode.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render one frame of a page to a picture."""
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)

    async def check() -> None:
        problems = Problems()
        for name in _OF_A_FILM:
            if name in options:
                problems.add(name, "a still is one frame; say which with --frame")
        problems.raise_if_any()

    run(check(), verbosity=verbosity)
    watched = Watched(verbosity=verbosity, progress=progress, as_json=as_json)
    one: RenderOptions = {**options, **queue, "frames": 1, "start_frame": frame}
    place = Place(farm=farm or None, ahead=context.obj)
    render_and_tell(source, one, OutputFiles(output=output), place, watched)
