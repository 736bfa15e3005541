"""Errands: work that goes on when whoever asked for it leaves."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from .holds import STORE_DOWN, FarmHeldError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from .holds import Holds

T = TypeVar("T")

log = logging.getLogger(__name__)


class Errands:
    """Carries requests out to their end: one that stopped in the middle would be half true."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T], *, name: str) -> T:
        """Wait for the work's end, but not for a database that is down.

        Raises:
            FarmHeldError: the database is down; what was begun is done when it is back.

        """
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._end)
        down = asyncio.create_task(self._holds.until(STORE_DOWN), name=f"{name}-down")
        try:
            await asyncio.wait({task, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            down.cancel()
        if not task.done() and (hold := self._holds.of(STORE_DOWN)):
            raise FarmHeldError(hold)
        return await asyncio.shield(task)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        # Whoever asked may have left: then nobody else would look at it.
        if not task.cancelled() and (error := task.exception()):
            log.info("errand failed", extra={"errand": task.get_name(), "error": repr(error)})

    async def finished(self) -> None:
        """Wait until nothing runs any more, however it ended."""
        while self._running:
            await asyncio.wait(self._running)
