"""What one does with the jobs of a farm: watch, list, cancel, download; and its workers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from coordinator.output_files import ending_of
from framefarm.client import FarmClient
from framefarm.event_fields import job_fields, worker_fields
from framefarm.fetching import fetch
from framefarm.preparation import check_files, output_files
from framefarm.rendering import follow

from .console import Verbosity, give, give_json, give_table, printable, say
from .display import ProgressMode, open_display
from .running import run
from .shared import Farm, Json, Manifest, Progress, Quiet, Verbose, verbosity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.job import Job
    from framefarm.farm_worker import FarmWorker
    from framefarm.fetching import Fetched

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


def watch(
    job_id: JobId,
    farm: Farm,
    as_json: Json = False,
    progress: Progress = ProgressMode.AUTO,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Follow a job to its end; leaving does not stop it."""
    verbosity = verbosity_of(quiet=quiet, verbose=verbose)

    async def work() -> Job:
        async with FarmClient(farm) as client:
            with open_display(progress, verbosity) as display:
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
        async with FarmClient(farm) as client:
            return await client.jobs(limit=limit)

    found = run(work())
    if as_json:
        give_json([job_fields(job) for job in found])
    else:
        columns = ("job", "state", "frames", "size", "fps", "created (UTC)", "composition")
        _print_table(columns, map(_job_row, found))


def cancel(job_id: JobId, farm: Farm, as_json: Json = False) -> None:
    """Stop a job; returns when its work has ended on every worker."""

    async def work() -> Job:
        async with FarmClient(farm) as client:
            return await client.cancel(job_id)

    job = run(work())
    if as_json:
        give_json(job_fields(job))
    else:
        say(f"job {job.id} is {job.state}")


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
        async with FarmClient(farm) as client:
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
        async with FarmClient(farm) as client:
            return await client.download_pictures(job_id, output)

    found = run(work())
    if as_json:
        give_json([str(path) for path in found])
    for path in found if not as_json else ():
        give(str(path))
    if not found:
        say(f"job {job_id} has no pictures of a failure")


def workers(farm: Farm, as_json: Json = False) -> None:
    """List a farm's workers."""

    async def work() -> list[FarmWorker]:
        async with FarmClient(farm) as client:
            return await client.workers()

    found = run(work())
    if as_json:
        give_json([worker_fields(worker) for worker in found])
    else:
        columns = ("worker", "address", "state", "free slots", "version", "fingerprint", "problem")
        _print_table(columns, map(_worker_row, found))


def _job_row(job: Job) -> tuple[str, ...]:
    settings = job.spec.settings
    return (
        job.id,
        job.state,
        f"{job.frames_done}/{job.spec.frames_total}",
        f"{settings.width_px}×{settings.height_px}",
        str(settings.frame_rate),
        f"{job.created_at:%Y-%m-%d %H:%M:%S}",
        str(job.spec.composition),
    )


def _worker_row(worker: FarmWorker) -> tuple[str, ...]:
    slots = f"{worker.free_slots}/{worker.slots}"
    name, fingerprint = worker.name or "–", worker.fingerprint[:12]
    return (
        name, worker.address, worker.state, slots, worker.version, fingerprint, worker.problem,
    )  # fmt: skip


def _print_table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(text) for text in row))
    give_table(table)


def _cell(text: str) -> str:
    return printable(text).replace("[", r"\[")  # a job's URL is no mark-up
