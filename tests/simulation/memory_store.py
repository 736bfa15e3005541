"""MemoryStore: a JobStore that outlives the simulated coordinators, and fails as real ones do."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from coordinator.job import Event, IllegalTransitionError, Job, JobEvent, Output, changed
from coordinator.stores.base import JobNotFoundError, LostLeadershipError, StoreDownError

from .chance import Chance
from .loop import Process, ProcessKilled, VirtualLoop
from .room import Room
from .wall import Wall
from .watch import Watch

T = TypeVar("T")

_CALL_S: Final = 0.001
_SLOW_S: Final = 4.0


@dataclass(eq=False, slots=True)
class Record:
    """A job and its log, as they are kept."""

    job: Job
    request_id: str
    events: list[JobEvent] = field(default_factory=list)
    last_asked: object = None
    last_answer: Sequence[JobEvent] = ()


class Disk:
    """What is kept, whoever writes it. Calls are carried out one after the other."""

    def __init__(self, chance: Chance, watch: Watch, wall: Wall, room: Room | None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.chance = chance
        self.watch = watch
        self.wall = wall
        self._room = room  # that it shares with the chunks, if it does
        self.records: dict[str, Record] = {}
        self.requests: dict[str, str] = {}
        self.term = 0
        self.leader: Process | None = None
        self.kill: Callable[[Process], None] = loop.kill
        self.context = contextvars.copy_context()
        self._free_at_s = 0.0

    def record(self, job_id: str) -> Record:
        found = self.records.get(job_id)
        if found is None:
            raise JobNotFoundError(job_id)
        return found

    def check_room(self) -> None:
        """Of a full disk can be read, but nothing can be kept there."""
        if self._room is not None and self._room.is_full:
            raise StoreDownError("the jobs database's disk is full: free some space")

    def queue(self, process: Process, work: Callable[[], T]) -> asyncio.Future[T]:
        """Carry `work` out after all that was asked before, and with the faults of now."""
        answer: asyncio.Future[T] = self.loop.create_future()
        is_slow = self.chance.strikes("store-slow") is not None
        at_s = max(self._free_at_s, self.loop.time()) + (_SLOW_S if is_slow else _CALL_S)
        self._free_at_s = at_s
        self.loop.call_at(at_s, self._carry_out, process, work, answer, context=self.context)
        return answer

    def _carry_out(
        self, process: Process, work: Callable[[], T], answer: asyncio.Future[T]
    ) -> None:
        if process in self.loop.dead:  # what it had asked for died with it
            return
        strikes = self.chance.strikes
        if strikes("die-before") is not None:
            self.kill(process)
            return
        tell = self._answered(work, answer)
        if strikes("die-after") is not None:
            self.kill(process)
        elif not answer.cancelled():
            tell()

    def _answered(self, work: Callable[[], T], answer: asyncio.Future[T]) -> Callable[[], None]:
        """Carry the work out, or not, and return what gives the answer."""
        if self.chance.strikes("store-before") is not None:
            return partial(answer.set_exception, StoreDownError("the store cannot be reached"))
        try:
            value = work()
        except (JobNotFoundError, LostLeadershipError, StoreDownError) as error:
            return partial(answer.set_exception, error)
        except IllegalTransitionError as error:
            self.watch.broken("kept", f"an event was lost: {error}")
            return partial(answer.set_exception, error)
        if self.chance.strikes("store-after") is not None:
            return partial(answer.set_exception, StoreDownError("the store's answer did not come"))
        return partial(answer.set_result, value)


class MemoryStore:
    """What one process sees of the disk."""

    def __init__(self, disk: Disk, process: Process) -> None:
        self._disk = disk
        self._process = process
        self._term = 0

    async def begin_term(self) -> int:
        def work() -> int:
            self._disk.term += 1
            self._disk.leader = self._process
            return self._disk.term

        self._term = await self._ask(work)
        return self._term

    async def check_lead(self) -> None:
        await self._ask(self._check_lead)

    async def add(self, job: Job, *, request_id: str) -> Job:
        def work() -> Job:
            disk = self._disk
            self._check_lead()
            known = disk.requests.get(request_id) if request_id else None
            if known is not None:
                return disk.records[known].job
            if job.id not in disk.records:
                disk.records[job.id] = Record(job, request_id)
                if request_id:
                    disk.requests[request_id] = job.id
                disk.watch.job_added(job)
            return disk.records[job.id].job

        return await self._ask(work)

    async def made_by(self, request_id: str) -> Job | None:
        def work() -> Job | None:
            known = self._disk.requests.get(request_id)
            return None if known is None else self._disk.record(known).job

        return await self._ask(work)

    async def get(self, job_id: str) -> Job:
        return await self._ask(lambda: self._disk.record(job_id).job)

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        def work() -> Sequence[Job]:
            jobs = [record.job for record in reversed(self._disk.records.values())]
            ids = [job.id for job in jobs]
            start = ids.index(before) + 1 if before in ids else 0
            return jobs[start : start + size]

        return await self._ask(work)

    async def unfinished(self) -> Sequence[Job]:
        def work() -> Sequence[Job]:
            jobs = (record.job for record in self._disk.records.values())
            return [job for job in jobs if not job.state.is_final]

        return await self._ask(work)

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        def work() -> Sequence[Job]:
            jobs = (record.job for record in self._disk.records.values())
            ended = [(job.ended_at, job) for job in jobs if job.ended_at and job.ended_at < at]
            return [job for _, job in sorted(ended, key=lambda row: row[0])[:most]]

        return await self._ask(work)

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        words = (self._process, tuple(map(id, events)))

        def work() -> Sequence[JobEvent]:
            self._check_lead()
            record, at = self._disk.record(job_id), self._disk.wall.now(self._process)
            if record.last_asked == words:  # asked again, for the answer did not come
                return record.last_answer
            start = len(record.events) + 1
            rows = [
                JobEvent(sequence=sequence, at=at, event=event)
                for sequence, event in enumerate(events, start=start)
            ]
            job = record.job
            for row in rows:
                job = changed(job, row)
            self._disk.watch.appended(record.job, rows)
            record.job = job if output is None else replace(job, output=output)
            record.events += rows
            record.last_asked, record.last_answer = words, rows
            return rows

        return await self._ask(work)

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        return await self._ask(lambda: self._disk.record(job_id).events[after : after + most])

    async def delete(self, job_id: str) -> None:
        def work() -> None:
            self._check_lead()
            record = self._disk.record(job_id)
            self._disk.watch.deleted(self._process, record.job)
            del self._disk.records[job_id]
            self._disk.requests.pop(record.request_id, None)

        await self._ask(work)

    def _check_lead(self) -> None:
        if self._term != self._disk.term:
            raise LostLeadershipError(f"term {self._disk.term} leads, not {self._term}")
        self._disk.check_room()

    async def _ask(self, work: Callable[[], T]) -> T:
        if self._process in self._disk.loop.dead:
            raise ProcessKilled
        answer = self._disk.queue(self._process, work)
        # Cancelled, it is carried out nevertheless; its error is nobody's then.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(answer)
