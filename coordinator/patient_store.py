"""PatientStore: a JobStore that waits for its database, and holds the farm meanwhile."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from .holds import SHUTTING_DOWN, STORE_DOWN, Hold
from .stores.base import JobNotFoundError, StoreDownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from .holds import Holds
    from .job import Event, Job, JobEvent, Output
    from .stores.base import JobStore

T = TypeVar("T")

_PAUSE_S: Final = 1.0


class PatientStore:
    """Asks `inner` again, with the same words, until it answers or the process is to end."""

    def __init__(self, inner: JobStore, holds: Holds) -> None:
        self._inner = inner
        self._holds = holds
        self._waiting = 0

    async def begin_term(self) -> int:
        return await self._asked(self._inner.begin_term)

    async def check_lead(self) -> None:
        await self._asked(self._inner.check_lead)

    async def add(self, job: Job, *, request_id: str) -> Job:
        return await self._asked(partial(self._inner.add, job, request_id=request_id))

    async def made_by(self, request_id: str) -> Job | None:
        return await self._asked(partial(self._inner.made_by, request_id))

    async def get(self, job_id: str) -> Job:
        return await self._asked(partial(self._inner.get, job_id))

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        return await self._asked(partial(self._inner.page, size=size, before=before))

    async def unfinished(self) -> Sequence[Job]:
        return await self._asked(self._inner.unfinished)

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        return await self._asked(partial(self._inner.ended_before, at, most=most))

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        return await self._asked(partial(self._inner.append, job_id, events, output=output))

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        return await self._asked(partial(self._inner.events, job_id, after=after, most=most))

    async def delete(self, job_id: str) -> None:
        tries = count(1)

        async def delete() -> None:
            is_first = next(tries) == 1
            try:
                await self._inner.delete(job_id)
            except JobNotFoundError:
                if is_first:
                    raise  # else it was deleted, and the answer did not come

        await self._asked(delete)

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await call()
        except StoreDownError as error:
            down = error
        self._waiting += 1
        try:
            return await self._asked_again(call, down)
        finally:
            self._waiting -= 1
            # Not when just any call is answered: of a full disk can still be read.
            if not self._waiting:
                self._holds.lift(STORE_DOWN)

    async def _asked_again(self, call: Callable[[], Awaitable[T]], down: StoreDownError) -> T:
        while True:
            self._holds.put(Hold(STORE_DOWN, str(down)))
            if await self._holds.until(SHUTTING_DOWN, most_s=_PAUSE_S):
                raise down
            try:
                return await call()
            except StoreDownError as error:
                down = error
