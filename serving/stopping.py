"""When a service ends: on SIGTERM, SIGINT, or when its standard input closes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class StdinEndedError(ValueError):
    """Standard input is to say when to end, and is nothing that somebody holds open."""


@contextmanager
def stop_event(*, until_stdin_closes: bool = False) -> Generator[asyncio.Event]:
    """An event that is set when the process is asked to end; a second signal ends it at once.

    With `until_stdin_closes`, the end of standard input asks too: whoever started the process
    holds the other end of the pipe, and the kernel closes it however that process ends.

    Raises:
        StdinEndedError: standard input is to say when to end, and is a file or /dev/null.

    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    if until_stdin_closes:
        _check_stdin()

    def on_signal(number: int) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    if until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _on_stdin, stopping)
    try:
        yield stopping
    finally:
        if until_stdin_closes:
            loop.remove_reader(sys.stdin.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _check_stdin() -> None:
    """Refuse what no process holds open for us: its end says nothing of anyone's."""
    if kind := _unheld(sys.stdin.fileno() if sys.stdin else None):
        raise StdinEndedError(
            f"--until-stdin-closes: standard input is {kind}, which nobody holds open; give it a "
            "pipe, as in `sleep infinity | framefarm …`, or leave the option out and end this "
            "process by SIGTERM"
        )


def _unheld(descriptor: int | None) -> str:
    if descriptor is None:
        return "closed"
    facts = os.fstat(descriptor)
    if stat.S_ISCHR(facts.st_mode) and facts.st_rdev == Path(os.devnull).stat().st_rdev:
        return os.devnull
    return "" if _ends_with_its_holder(facts.st_mode) else "a file"


def _ends_with_its_holder(mode: int) -> bool:
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)  # that: a terminal


def _on_stdin(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()
