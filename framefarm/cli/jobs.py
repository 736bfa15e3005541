"""What one does with the jobs of a farm: watch, list, download."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.output_files import ending_of
from framefarm.client import FarmClient
from framefarm.event_fields import job_fields
from framefarm.fetching import fetch
from framefarm.patience import WAIT_S
from framefarm.preparation import check_files, output_files
from framefarm.rendering import follow

from .connecting import farm_client
from .console import Verbosity, give, give_json, say
from .display import ProgressMode, open_display
from .running import run
from .shared import Farm, Json, Manifest, Progress, Quiet, Verbose, Wait, verbosity_of
from .tables import print_table

if TYPE_CHECKING:
    from coordinator.job import Job
    from framefarm.fetching import Fetched

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def watch(
    job_id: JobId,
    farm: Farm,
    wait: Wait = WAIT_S,
    as_json: Json = False,
    progress: Progress = ProgressMode.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Follow a job to its end; leaving does not stop it."""
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)

    async def work() -> Job:
        with open_display(progress, verbosity) as display:
            async with FarmClient(farm, wait_s=wait, on_wait=display.said) as client:
                display.created(await client.get(job_id))
                return await follow(client, job_id, display)

    job = run(work(), verbosity=verbosity)
    if as_json:
        give_json(job_fields(job))
    elif verbosity is not Verbosity.QUIET:
        kinds = [ending_of(file, job.spec.settings) for file in job.spec.files]
        names = " ".join(f"-o OUT.{kind}" for kind in kinds)
        say(f"job {job.id} has {job.state}; fetch it with: framefarm download {job.id} {names}")


def jobs(
    farm: Farm,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many.")] = 50,
    as_json: Json = False,
) -> None:
    """List a farm's jobs, newest first."""

    async def work() -> list[Job]:
        async with farm_client(farm) as client:
            return await client.jobs(limit=limit)

    found = run(work())
    if as_json:
        give_json([job_fields(job) for job in found])
    else:
        columns = (
            "job",
            "state",
            "frames",
            "size",
            "fps",
            "user",
            "priority",
            "created (UTC)",
            "composition",
        )
        print_table(columns, map(_job_row, found))


def download(
    job_id: JobId,
    output: Annotated[
        list[str],
        typer.Option("-o", "--output", metavar="FILE", help="A file to write; may be given again."),
    ],
    farm: Farm,
    manifest: Manifest = None,
    as_json: Json = False,
) -> None:
    """Bring a finished job's files here: its video, or those of its files that names fit to."""

    async def work() -> Fetched:
        files = output_files(output, manifest=manifest)
        check_files(files)
        async with farm_client(farm) as client:
            return await fetch(client, job_id, files)

    fetched = run(work())
    frames, files = fetched.output.frames, fetched.files
    if as_json:
        found = {"job_id": job_id, "output": str(files[0].path), "frames": frames}
        told = [asdict(file) | {"path": str(file.path)} for file in files]
        give_json(found | {"sha256": files[0].sha256, "files": told})
        return
    for file in files:
        say(f"{file.path}: {frames} frames, {file.size_bytes} bytes, sha256 {file.sha256}")


def pictures(
    job_id: JobId,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to put them into.")],
    farm: Farm,
    as_json: Json = False,
) -> None:
    """Bring the pictures that show why a job failed here."""

    async def work() -> list[Path]:
        async with farm_client(farm) as client:
            return await client.download_pictures(job_id, output)

    found = run(work())
    if as_json:
        give_json([str(path) for path in found])
    for path in found if not as_json else ():
        give(str(path))
    if not found:
        say(f"job {job_id} has no pictures of a failure")


def _job_row(job: Job) -> tuple[str, ...]:
    settings = job.spec.settings
    return (
        job.id,
        job.state,
        f"{job.frames_done}/{job.spec.frames_total}",
        f"{settings.width_px}×{settings.height_px}",
        str(settings.frame_rate),
        job.spec.share.user or "–",
        str(job.spec.share.priority),
        f"{job.created_at:%Y-%m-%d %H:%M:%S}",
        str(job.spec.composition),
    )
