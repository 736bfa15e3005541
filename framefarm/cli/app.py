"""The command line's commands, in the order in which the help lists them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from . import benchmark, check, control, doctor, farm, jobs, render, services, sheet, still, worker
from .console import give

app = typer.Typer(
    name="framefarm",
    help="Render web pages to video, frame by frame and exactly, here or on a farm.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        give(f"framefarm {version('framefarm')}")
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and end."),
    ] = False,
) -> None:
    pass


app.command("render")(render.render)
app.command("still")(still.still)
app.command("sheet")(sheet.sheet)
app.command("submit")(render.submit)
app.command("check")(check.check)
app.command("benchmark")(benchmark.benchmark)
app.command("watch")(jobs.watch)
app.command("jobs")(jobs.jobs)
app.command("cancel")(control.cancel)
app.command("pause")(control.pause)
app.command("resume")(control.resume)
app.command("delete")(control.delete)
app.command("download")(jobs.download)
app.command("pictures")(jobs.pictures)
app.command("farm")(farm.farm)
app.command("workers")(farm.workers)
app.command("worker")(worker.worker)
app.command("coordinator")(services.coordinator)
app.command("doctor")(doctor.doctor)
