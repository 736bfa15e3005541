"""`framefarm` and `python -m framefarm`: the command line."""

from __future__ import annotations

import signal
from importlib import import_module


def main() -> None:
    """Run the command line. While it is imported, Ctrl-C ends it without a word."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli = import_module("framefarm.cli")
    signal.signal(signal.SIGINT, usual)
    cli.main()


if __name__ == "__main__":
    main()
