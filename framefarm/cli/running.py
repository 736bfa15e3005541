"""Runs a command's work: Ctrl-C cancels it and waits for its clean-up, a second one does not."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from .console import ERR, Verbosity, say
from .failures import Told, tell

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

T = TypeVar("T")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, T], *, verbosity: Verbosity = Verbosity.NORMAL) -> T:
    """Run a command's work to its end.

    Raises:
        typer.Exit: it was interrupted; 128 and the signal's number.

    """
    interruption = _Interruption(verbosity)
    try:
        return asyncio.run(interruption.watching(work))
    except asyncio.CancelledError:
        # asyncio.run is over: this is the edge at which a cancellation becomes an exit code.
        raise typer.Exit(128 + (interruption.signal or signal.SIGINT)) from None
    except Told as error:
        if not interruption.signal:
            raise
        tell(error)  # what went wrong while it was stopping
        raise typer.Exit(128 + interruption.signal) from error


class _Interruption:
    """The first signal cancels the work; the second ends the process."""

    def __init__(self, verbosity: Verbosity) -> None:
        self.signal = 0
        self._quiet = verbosity is Verbosity.QUIET

    async def watching(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number, task)
        return await work

    def _on_signal(self, number: int, task: asyncio.Task[Any]) -> None:
        if self.signal:
            ERR.show_cursor()  # a live display hides it
            os._exit(128 + number)
        self.signal = number
        task.cancel()
        if not self._quiet:
            say("interrupted: stopping (once more to end at once)")
