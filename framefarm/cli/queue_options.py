"""The options that say what a job's place among others is: for `render`, `still` and `submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from executors.base import Share

from .taking import flags_of, parameters_of, taking

if TYPE_CHECKING:
    from collections.abc import Callable

_USUAL: Final = Share()


def queue_options(
    *,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            envvar="FRAMEFARM_USER",
            help="Whose job it is: users share a farm evenly.",
            show_default="nobody's",
        ),
    ] = None,
    priority: Annotated[
        int | None,
        typer.Option(
            "--priority", help="0 to 100; higher comes first.", show_default=str(_USUAL.priority)
        ),
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(
            "--weight", help="Of this job among its user's.", show_default=f"{_USUAL.weight:g}"
        ),
    ] = None,
    most_slots: Annotated[
        int | None,
        typer.Option("--max-slots", help="Chunks at a time.", show_default="no limit"),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(
            "--after", metavar="JOB", help="Begin when that one has succeeded; may be given again."
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            metavar="DURATION",
            help="Fail when it has not ended by then, like 10m.",
            show_default="none",
        ),
    ] = None,
) -> None:
    """Only its signature matters: names are `QueueOptions`' own, and a test keeps it so."""


_PARAMETERS: Final = parameters_of(queue_options)
QUEUE_FLAGS: Final = flags_of(_PARAMETERS)


def takes_queue_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the queue options too; it gets them as one `queue`."""
    return taking(command, _PARAMETERS, into="queue")
