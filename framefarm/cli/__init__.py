"""The command line: typer reads it, rich shows what happens."""

from __future__ import annotations

import sys

import typer

from .app import app_for
from .failures import Told, tell


def main() -> None:
    """Run the command line. Exit 0 done, 1 the job failed, 2 the request was wrong, 130 Ctrl-C."""
    try:
        command = typer.main.get_command(app_for(sys.argv[1:]))
        code = command.main(prog_name="framefarm", standalone_mode=False)
    except Told as error:
        code = tell(error)
    except KeyboardInterrupt:  # before there was any work to cancel, in the imports as a rule
        code = 130
    sys.exit(code or 0)
