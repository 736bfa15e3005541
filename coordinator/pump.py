"""Pump: a running job's events on their way into its log, in batches."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from .job import PageLogged, ProgressMade

if TYPE_CHECKING:
    from .events import EventLog
    from .job import Event, Output

# Progress of all chunks together would be thousands of events a second. A worker tells it ten times
# a second: with this on top, a watcher is 0.2 s behind at the most (results/overhead.md).
FLUSH_S: Final = 0.08
# All jobs together keep a store busy for a third of the time at the most, however slow it is: each
# waits twice as long as its last turn took, and others' turns are part of that.
_PAUSES: Final = 2
_LONGEST_S: Final = 1.0
# A page that logs in every frame must not fill the disk.
MAX_PAGE_LINES: Final = 1_000


class Pump:
    """Takes events without blocking; of progress, only the latest of each batch is kept."""

    def __init__(self, job_id: str, log: EventLog) -> None:
        self._job_id = job_id
        self._log = log
        # In order of arrival. A dict, for thousands of chunks may come between two flushes.
        self._events: dict[object, Event] = {}
        self._page_lines = 0
        self._ended = asyncio.Event()
        self._flushing = asyncio.Lock()  # a later batch never overtakes an earlier one

    def put(self, event: Event) -> None:
        if isinstance(event, PageLogged) and not self._may_log():
            return
        key = ProgressMade if isinstance(event, ProgressMade) else object()
        self._events.pop(key, None)
        self._events[key] = event

    async def run(self) -> None:
        """Flush now and then, until `end`."""
        pause_s = FLUSH_S
        while not self._ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause_s)
            began_s = asyncio.get_running_loop().time()
            await self.flush()
            took_s = asyncio.get_running_loop().time() - began_s
            pause_s = pause_after(took_s)

    def end(self) -> None:
        """Let `run` return, after one more flush. It is never cancelled in the middle of one."""
        self._ended.set()

    async def flush(self, *, output: Output | None = None) -> None:
        """Return when all that was put before is kept; `output` is the job's from now on."""
        async with self._flushing:
            events, self._events = self._events, {}
            if events:
                await self._log.append(self._job_id, list(events.values()), output=output)

    def _may_log(self) -> bool:
        self._page_lines += 1
        if self._page_lines == MAX_PAGE_LINES:
            text = f"the page's console had over {MAX_PAGE_LINES} lines; the rest is left out"
            self._events[object()] = PageLogged(chunk_index=0, level="warning", text=text)
        return self._page_lines < MAX_PAGE_LINES


def pause_after(took_s: float) -> float:
    """How long to collect events, when the last of them took so long to be kept."""
    return min(_LONGEST_S, max(FLUSH_S, _PAUSES * took_s))
