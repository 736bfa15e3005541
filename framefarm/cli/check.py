"""`framefarm check`: what of a page is not the same twice, and what it uses that may be why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from framefarm.check import Checked
from framefarm.check import check as check_page
from framefarm.request import RenderOptions
from renderer.events import PageLog
from renderer.history import Between

from .console import give, give_json, printable, say
from .options import takes_rendering_options, with_props_read
from .render import SourceArgument
from .running import run
from .shared import Json, Verbose

if TYPE_CHECKING:
    from renderer.events import RenderEvent

_TOLD = {
    Between.SESSIONS: "is not the same in two sessions: chunks of it would not fit together",
    Between.WAYS: "depends on the frames before it: chunks of it are played from frame 0",
}


@takes_rendering_options
def check(
    source: SourceArgument,
    options: RenderOptions,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", help="Draw what differs into this folder.", metavar="DIR"),
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find out whether a page shows the same twice, before it is rendered."""

    def hear(event: RenderEvent) -> None:
        if verbose and isinstance(event, PageLog):
            say(f"page, {event.level}: {event.text}")

    async def work() -> Checked:
        given = with_props_read(options)
        return await check_page(source, given, pictures=pictures, on_event=hear)

    checked = run(work())
    if as_json:
        give_json(_fields(checked))
    else:
        _tell(checked)
    if not checked.is_clean:
        raise typer.Exit(1)


def _tell(checked: Checked) -> None:
    result = checked.result
    for row in result.differences:
        path = checked.pictures.get((row.between, row.frame))
        give(f"frame {row.frame} {_TOLD[row.between]}" + (f" ({path})" if path else ""))
    for use in result.suspects:
        give(printable(f"the page uses {use}, {_times(use.count)}"))
    compared = f"{len(result.frames)} frames in two sessions, {len(result.jumps)} after a jump"
    give(f"compared {compared}: {len(result.differences) or 'no'} differences")
    give(printable(f"{result.history}: {result.objection or 'time may jump to a chunk'}"))


def _fields(checked: Checked) -> dict[str, object]:
    result = checked.result
    return {
        "clean": checked.is_clean,
        "history": result.history.value,
        "objection": result.objection,
        "frames": list(result.frames),
        "jumps": list(result.jumps),
        "differences": [
            {
                "frame": row.frame,
                "between": row.between.value,
                "picture": _name(checked.pictures.get((row.between, row.frame))),
            }
            for row in result.differences
        ],
        "uses": [
            {"api": use.api, "detail": use.detail, "count": use.count} for use in result.suspects
        ],
    }


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
