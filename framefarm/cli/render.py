"""`framefarm render` and `framefarm submit`: a page becomes a video, or a job."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framefarm.patience import WAIT_S
from framefarm.preparation import OutputFiles, Place, output_files, output_names_of, prepare
from framefarm.queue_options import QueueOptions
from framefarm.rendering import RenderedVideo, render_prepared, send_bundles
from framefarm.request import RenderOptions

from .connecting import farm_client
from .console import Verbosity, give, give_json, say
from .display import ProgressMode, open_display
from .options import takes_rendering_options, with_props_read
from .queue_options import takes_queue_options
from .running import run
from .shared import Farm, Json, Manifest, Outputs, Progress, Quiet, Verbose, Wait, verbosity_of

if TYPE_CHECKING:
    from coordinator.job import Job

SourceArgument = Annotated[
    str, typer.Argument(metavar="SOURCE", help="An .html file, a folder with index.html, or a URL.")
]


@takes_rendering_options
@takes_queue_options
def render(
    context: typer.Context,
    source: SourceArgument,
    output: Outputs,
    options: RenderOptions,
    queue: QueueOptions,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            help="Workers to run here, as processes.",
            show_default="none: one process renders",
        ),
    ] = None,
    manifest: Manifest = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            help="A folder for pictures that show why the job failed.",
            show_default="OUT.pictures, if there are any",
        ),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Say where the film can be watched while it is rendered."),
    ] = False,
    farm: Farm = "",
    wait: Wait = WAIT_S,
    as_json: Json = False,
    progress: Progress = ProgressMode.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Render a page to a video, here or on a farm."""
    place = Place(
        farm=farm or None, workers=workers, ahead=context.obj, preview=preview, wait_s=wait
    )
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)
    files = run(named(output, manifest), verbosity=verbosity)
    first = files.output
    shown = pictures or Path(f"{first.parent / first.stem}.pictures")
    files = replace(files, pictures=shown)
    watched = Watched(verbosity=verbosity, progress=progress, as_json=as_json)
    render_and_tell(source, {**options, **queue}, files, place, watched)


async def named(said: list[str], manifest: Path | None = None) -> OutputFiles:
    """Understand what files are called, where what is wrong with it is told."""
    return output_files(said, manifest=manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How a render is shown."""

    verbosity: Verbosity
    progress: ProgressMode
    as_json: bool


def render_and_tell(
    source: str, options: RenderOptions, files: OutputFiles, place: Place, watched: Watched
) -> None:
    """Render, and say what has come of it."""

    async def work() -> RenderedVideo:
        prepared = await prepare(source, with_props_read(options), output=files, place=place)
        with open_display(watched.progress, watched.verbosity) as display:
            return await render_prepared(prepared, files, place, display)

    video = run(work(), verbosity=watched.verbosity)
    if watched.as_json:
        give_json(_fields(video))
    elif watched.verbosity is not Verbosity.QUIET:
        speed = video.frames / max(video.seconds, 0.001)
        took = f"{video.frames} frames in {video.seconds:.1f} s ({speed:.1f} frames/s)"
        say(f"{video.output}: {took}, sha256 {video.sha256}")
        for file in video.files[1:]:
            say(f"{file.path}: {file.size_bytes} bytes, sha256 {file.sha256}")
    if watched.verbosity is not Verbosity.QUIET:
        for warning in video.warnings:
            say(f"warning: {warning}")


def _fields(video: RenderedVideo) -> dict[str, Any]:
    files = [asdict(file) | {"path": str(file.path)} for file in video.files]
    return asdict(video) | {"output": str(video.output), "files": files}


@takes_rendering_options
@takes_queue_options
def submit(
    source: SourceArgument,
    options: RenderOptions,
    queue: QueueOptions,
    farm: Farm,
    wait: Wait = WAIT_S,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="What to make, as render writes it; nothing is written here.",
            show_default="an .mp4 file, or as --container says",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a job into a farm's queue and print its id."""

    async def work() -> Job:
        place = Place(farm=farm)
        names = output_names_of(output or [])
        given = with_props_read({**options, **queue})
        prepared = await prepare(source, given, output=None, names=names, place=place)
        async with farm_client(farm, wait_s=wait) as client:
            await send_bundles(client, prepared)
            return await client.create(prepared.spec)

    job = run(work())
    if as_json:
        give_json({"job_id": job.id})
    else:
        give(job.id)
