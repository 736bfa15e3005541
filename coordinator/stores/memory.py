"""Jobs and events in memory: for a coordinator whose jobs need not outlive it.

That of a local render has one job and a folder that goes with it: to keep them in a file took a
tenth of its CPU time, most of it the import of what speaks to databases.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coordinator.job import JobEvent, changed

from .base import JobNotFoundError, LostLeadershipError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.job import Event, Job, Output


@dataclass(slots=True)
class Record:
    """A job, and what happened to it."""

    job: Job
    request_id: str
    events: list[JobEvent] = field(default_factory=list)


@dataclass(slots=True)
class Memory:
    """What is kept, for all stores that are opened on it."""

    records: dict[str, Record] = field(default_factory=dict)  # in the order in which they came
    requests: dict[str, str] = field(default_factory=dict)
    term: int = 0


class MemoryJobStore:
    """A JobStore. No call waits for anything: each is carried out as a whole."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._term: int | None = None

    async def begin_term(self) -> int:
        self._memory.term += 1
        self._term = self._memory.term
        return self._term

    async def check_lead(self) -> None:
        self._check_that_it_leads()

    async def add(self, job: Job, *, request_id: str) -> Job:
        self._check_that_it_leads()
        memory = self._memory
        if request_id in memory.requests:
            return memory.records[memory.requests[request_id]].job
        if job.id in memory.records:
            raise ValueError(f"there is a job {job.id}, and it is another one")
        memory.records[job.id] = Record(job, request_id)
        if request_id:
            memory.requests[request_id] = job.id
        return job

    async def made_by(self, request_id: str) -> Job | None:
        made = self._memory.requests.get(request_id)
        return None if made is None else self._memory.records[made].job

    async def get(self, job_id: str) -> Job:
        return self._record(job_id).job

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        jobs = [record.job for record in reversed(self._memory.records.values())]
        start = 1 + jobs.index(self._record(before).job) if before else 0
        return jobs[start : start + size]

    async def unfinished(self) -> Sequence[Job]:
        return [job for job in self._jobs() if not job.state.is_final]

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        ended = [(job.ended_at, job) for job in self._jobs() if job.ended_at and job.ended_at < at]
        return [job for _, job in sorted(ended, key=lambda row: row[0])[:most]]

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        self._check_that_it_leads()
        record, at = self._record(job_id), datetime.now(UTC)
        rows = [
            JobEvent(sequence=sequence, at=at, event=event)
            for sequence, event in enumerate(events, start=len(record.events) + 1)
        ]
        job = record.job
        for row in rows:
            job = changed(job, row)
        record.job = job if output is None else replace(job, output=output)
        record.events += rows
        return rows

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        return self._record(job_id).events[after : after + most]

    async def delete(self, job_id: str) -> None:
        self._check_that_it_leads()
        record = self._record(job_id)
        del self._memory.records[job_id]
        self._memory.requests.pop(record.request_id, None)

    def _jobs(self) -> list[Job]:
        return [record.job for record in self._memory.records.values()]

    def _record(self, job_id: str) -> Record:
        if (found := self._memory.records.get(job_id)) is None:
            raise JobNotFoundError(job_id)
        return found

    def _check_that_it_leads(self) -> None:
        if self._term not in (None, self._memory.term):
            raise LostLeadershipError(
                f"this coordinator's term {self._term} is over: one of term {self._memory.term} "
                "leads now"
            )
