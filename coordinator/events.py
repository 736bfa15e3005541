"""EventLog: every event is kept first and told to watchers then."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from .job import StateChanged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from .job import Event, JobEvent, Output
    from .stores.base import JobStore

_BATCH: Final = 500


class EventLog:
    """Appends to a store, and wakes those who watch, each at its own pace.

    Watchers who have kept up share what was appended last; one that is behind reads the store, a
    page at a time. So neither many nor slow ones cost more than a page each.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        # Gone with the last watcher who holds it.
        self._tails: WeakValueDictionary[str, _Tail] = WeakValueDictionary()

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> None:
        rows: Sequence[JobEvent] = ()
        try:
            rows = await self._store.append(job_id, events, output=output)
        finally:  # cancelled, it has appended nevertheless
            if tail := self._tails.get(job_id):
                tail.extend(rows)

    async def watch(self, job_id: str, *, after: int) -> AsyncGenerator[JobEvent]:
        """Replay a job's events after a sequence number, then follow, until the job has ended.

        Raises:
            JobNotFoundError: no such job is known.

        """
        tail = self._tails.setdefault(job_id, _Tail())
        while True:
            # Taken before anything is read: what is appended in between wakes us.
            news = tail.news
            events, is_over = tail.after(after), tail.is_over
            if events is None:
                # The job first: an end that comes after this look is told after the next one.
                is_over = (await self._store.get(job_id)).state.is_final
                events = await self._store.events(job_id, after=after, most=_BATCH)
            for event in events:
                yield event
                after = event.sequence
                if _is_end(event):
                    return
            if not events:
                if is_over:
                    return  # asked for what comes after the end
                await news.wait()


class _Tail:
    """What was appended last to the log of a job that is watched."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.is_over = False
        self._rows: deque[JobEvent] = deque(maxlen=_BATCH)

    def after(self, sequence: int) -> Sequence[JobEvent] | None:
        """What comes after a sequence number; None where only the store knows it."""
        if not self._rows or self._rows[0].sequence > sequence + 1:
            return None
        known = max(0, sequence + 1 - self._rows[0].sequence)
        return tuple(islice(self._rows, known, None))

    def extend(self, rows: Sequence[JobEvent]) -> None:
        """Take in what was appended; nothing: nobody knows what was."""
        if not rows or (self._rows and rows[0].sequence != self._rows[-1].sequence + 1):
            self._rows.clear()
        self._rows.extend(rows)
        self.is_over = any(map(_is_end, rows))
        self.news.set()
        self.news = asyncio.Event()


def _is_end(event: JobEvent) -> bool:
    return isinstance(event.event, StateChanged) and event.event.state.is_final
