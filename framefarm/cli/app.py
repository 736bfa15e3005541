"""The command line's commands, in the order in which the help lists them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .console import give

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Each command, a function of this name, and the module that has it. One command brings in half of
# framefarm, and all of them together all of it: a module is imported when its command is wanted.
_HOMES: Final = {
    "render": "render",
    "still": "still",
    "sheet": "sheet",
    "submit": "render",
    "check": "check",
    "benchmark": "benchmark",
    "watch": "jobs",
    "jobs": "jobs",
    "cancel": "control",
    "pause": "control",
    "resume": "control",
    "delete": "control",
    "download": "jobs",
    "pictures": "jobs",
    "farm": "farm",
    "workers": "farm",
    "worker": "worker",
    "coordinator": "services",
    "doctor": "doctor",
}


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the application that these arguments need: of one command, or, for help, of all."""
    return app_of([name for name in arguments[:1] if name in _HOMES] or _HOMES)


def app_of(names: Iterable[str]) -> typer.Typer:
    """Return the application that has these commands."""
    app = typer.Typer(
        name="framefarm",
        help="Render web pages to video, frame by frame and exactly, here or on a farm.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names:
        app.command(name)(getattr(import_module(f".{_HOMES[name]}", __package__), name))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # here: it reads mail, and all who come wait for it

        give(f"framefarm {version('framefarm')}")
        raise typer.Exit


def _root(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and end."),
    ] = False,
) -> None:
    pass
