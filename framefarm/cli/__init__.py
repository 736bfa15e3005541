"""The command line: typer reads it, rich shows what happens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from .app import app_for
from .failures import Told, tell

if TYPE_CHECKING:
    from framefarm.head_start import HeadStart


def main(app: typer.Typer | None = None, ahead: HeadStart | None = None) -> None:
    """Run the command line. Exit 0 done, 1 the job failed, 2 the request was wrong, 130 Ctrl-C.

    `app` is what the arguments need, and `ahead` may serve what is to be rendered here.
    """
    try:
        command = typer.main.get_command(app or app_for(sys.argv[1:]))
        code = command.main(prog_name="framefarm", standalone_mode=False, obj=ahead)
    except Told as error:
        code = tell(error)
    except KeyboardInterrupt:  # before there was any work to cancel, in the imports as a rule
        code = 130
    sys.exit(code or 0)
