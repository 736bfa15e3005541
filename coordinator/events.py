"""EventLog: every event is kept first and told to watchers then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from .job import StateChanged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from .job import Event, JobEvent, Output
    from .stores.base import JobStore

_BATCH: Final = 500


class EventLog:
    """Appends to a store, and wakes those who watch. Watchers read the store, at their own pace."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        # Gone with the last watcher who holds it.
        self._news: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> None:
        try:
            await self._store.append(job_id, events, output=output)
        finally:  # cancelled, it has appended nevertheless
            if news := self._news.pop(job_id, None):
                news.set()

    async def watch(self, job_id: str, *, after: int) -> AsyncGenerator[JobEvent]:
        """Replay a job's events after a sequence number, then follow, until the job has ended.

        Raises:
            JobNotFoundError: no such job is known.

        """
        while True:
            # Taken before the store is read: what is appended in between wakes us.
            news = self._news.setdefault(job_id, asyncio.Event())
            # And so is the job: an end that comes after this look is told after the next one.
            job = await self._store.get(job_id)
            events = await self._store.events(job_id, after=after, most=_BATCH)
            for event in events:
                yield event
                after = event.sequence
                if isinstance(event.event, StateChanged) and event.event.state.is_final:
                    return
            if not events:
                if job.state.is_final:
                    return  # asked for what comes after the end
                await news.wait()
