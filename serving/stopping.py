"""When a service ends: on SIGTERM, SIGINT, or when its standard input closes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def stop_event(*, until_stdin_closes: bool = False) -> Generator[asyncio.Event]:
    """An event that is set when the process is asked to end; a second signal ends it at once.

    With `until_stdin_closes`, the end of standard input asks too: whoever started the process
    holds the other end of the pipe, and the kernel closes it however that process ends. It must
    be a pipe.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

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


def _on_stdin(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()
