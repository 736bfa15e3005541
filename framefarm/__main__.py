"""`framefarm` and `python -m framefarm`: the command line."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .head_start import HeadStart


def main() -> None:
    """Run the command line. While it is imported, Ctrl-C ends it without a word."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # From here on: each of these takes time in which somebody may press it.
    import os
    from contextlib import suppress
    from importlib import import_module

    from serving.standing import imports_stand

    from .head_start import head_start, needs_local_farm

    arguments = sys.argv[1:]
    ahead: HeadStart | None = None
    if needs_local_farm(arguments, os.environ):
        with suppress(OSError):  # whoever needs it will start it, and be told
            ahead = head_start(renders=True)
    try:
        with imports_stand():
            cli = import_module("framefarm.cli")
            app = cli.app_for(arguments)
        signal.signal(signal.SIGINT, usual)
        cli.main(app, ahead)
    finally:
        if ahead is not None:
            ahead.drop()


if __name__ == "__main__":
    main()
