"""SqlJobStore: jobs and their events in tables, in whichever database speaks SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sql

from coordinator import wire
from coordinator.job import Event, Job, JobEvent, JobState, Output, changed
from protos.framefarm.v1 import coordinator_pb2 as pb

from .base import JobNotFoundError, LostLeadershipError
from .schema import EVENTS, JOBS, LEADERSHIP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .database import Database

T = TypeVar("T")

_LARGEST: Final = (1 << 63) - 1  # what a database holds; the wire's numbers go further
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FINAL: Final = [state for state in JobState if state.is_final]
# Made once: an append takes all five, and making them took a third of its time.
_TERM: Final = sql.select(LEADERSHIP.c.term).with_for_update(read=True)
_JOB: Final = sql.select(JOBS.c.job).where(JOBS.c.id == sql.bindparam("job_id"))
_LAST: Final = sql.select(sql.func.max(EVENTS.c.sequence)).where(
    EVENTS.c.job_id == sql.bindparam("job_id")
)
_INSERT: Final = sql.insert(EVENTS)
_UPDATE: Final = sql.update(JOBS).where(JOBS.c.id == sql.bindparam("job_id"))


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An append of which nobody has said what became of it."""

    events: tuple[Event, ...]
    rows: tuple[JobEvent, ...]


class SqlJobStore:
    """A JobStore over a database. With `must_lead`, only a handle that leads may write.

    A write names its term in its own transaction, so the handle of a coordinator that was followed
    by another one cannot write, whatever it believes.
    """

    def __init__(self, database: Database, *, must_lead: bool) -> None:
        self._database = database
        self._must_lead = must_lead
        self._term: int | None = None
        self._doubts: dict[str, _Doubt] = {}

    async def begin_term(self) -> int:
        def work(db: sql.Connection) -> int:
            db.execute(sql.update(LEADERSHIP).values(term=LEADERSHIP.c.term + 1))
            return int(db.execute(sql.select(LEADERSHIP.c.term)).scalar_one())

        self._term = await self._database.write(work)
        return self._term

    async def check_lead(self) -> None:
        await self._write(lambda _: None)

    async def add(self, job: Job, *, request_id: str) -> Job:
        mine = JOBS.c.request_id == request_id if request_id else JOBS.c.id == job.id

        def work(db: sql.Connection) -> Job:
            row = db.execute(sql.select(JOBS.c.job).where(mine)).one_or_none()
            if row is not None and (request_id or _job(row) == job):
                return _job(row)
            row_of_it = {"id": job.id, "request_id": request_id or None, **_values(job)}
            db.execute(sql.insert(JOBS).values(row_of_it))
            return job

        return await self._write(work)

    async def made_by(self, request_id: str) -> Job | None:
        query = sql.select(JOBS.c.job).where(JOBS.c.request_id == request_id)
        found = await self._jobs(query)
        return found[0] if found else None

    async def get(self, job_id: str) -> Job:
        return await self._database.read(lambda db: _get(db, job_id))

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        query = sql.select(JOBS.c.job).order_by(JOBS.c.number.desc()).limit(size)

        def work(db: sql.Connection) -> Sequence[Job]:
            rows = query
            if before:
                rows = query.where(JOBS.c.number < _number(db, before))
            return [_job(row) for row in db.execute(rows)]

        return await self._database.read(work)

    async def unfinished(self) -> Sequence[Job]:
        query = sql.select(JOBS.c.job).where(JOBS.c.state.not_in(_FINAL)).order_by(JOBS.c.number)
        return await self._jobs(query)

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        by_end = (JOBS.c.ended_us, JOBS.c.number)
        early = JOBS.c.ended_us < _since_epoch_us(at)
        return await self._jobs(sql.select(JOBS.c.job).where(early).order_by(*by_end).limit(most))

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        at = datetime.now(UTC)
        words = tuple(events)

        def work(db: sql.Connection) -> Sequence[JobEvent]:
            job = _get(db, job_id)
            last = _last_sequence(db, job_id)
            if (kept := self._kept(db, job_id, words, last)) is not None:
                return kept
            rows = tuple(
                JobEvent(sequence=sequence, at=at, event=event)
                for sequence, event in enumerate(words, start=last + 1)
            )
            for row in rows:
                job = changed(job, row)
            self._doubts[job_id] = _Doubt(words, rows)
            _insert(db, job_id, rows)
            _update(db, job if output is None else replace(job, output=output))
            return rows

        rows = await self._write(work)
        self._doubts.pop(job_id, None)
        return rows

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        query = (
            sql.select(EVENTS.c.event)
            .where(EVENTS.c.job_id == job_id, EVENTS.c.sequence > min(after, _LARGEST))
            .order_by(EVENTS.c.sequence)
            .limit(most)
        )

        def work(db: sql.Connection) -> Sequence[JobEvent]:
            _number(db, job_id)
            rows = db.execute(query)
            return [wire.to_job_event(pb.JobEvent.FromString(row.event)) for row in rows]

        return await self._database.read(work)

    async def delete(self, job_id: str) -> None:
        tries = 0

        def work(db: sql.Connection) -> None:
            nonlocal tries
            tries += 1
            db.execute(sql.delete(EVENTS).where(EVENTS.c.job_id == job_id))
            gone = db.execute(sql.delete(JOBS).where(JOBS.c.id == job_id)).rowcount
            if not gone and tries == 1:  # else: an earlier try may have done it
                raise JobNotFoundError(job_id)

        await self._write(work)
        self._doubts.pop(job_id, None)

    async def _jobs(self, query: sql.Select[tuple[bytes]]) -> Sequence[Job]:
        return await self._database.read(lambda db: [_job(row) for row in db.execute(query)])

    async def _write(self, work: Callable[[sql.Connection], T]) -> T:
        def fenced(db: sql.Connection) -> T:
            self._check_that_it_leads(db)
            return work(db)

        return await self._database.write(fenced)

    def _check_that_it_leads(self, db: sql.Connection) -> None:
        if self._term is None:
            if self._must_lead:
                raise LostLeadershipError("this coordinator has not begun to lead: it has no term")
            return
        # Held until the transaction ends: a later term begins before it or after it.
        if (term := db.execute(_TERM).scalar_one()) != self._term:
            raise LostLeadershipError(
                f"this coordinator's term {self._term} is over: one of term {term} leads now"
            )

    def _kept(
        self, db: sql.Connection, job_id: str, events: tuple[Event, ...], last: int
    ) -> Sequence[JobEvent] | None:
        """What an earlier try of the same append has kept; None if it has kept nothing."""
        doubt = self._doubts.get(job_id)
        if doubt is None or doubt.events != events or not doubt.rows:
            return None
        if last != doubt.rows[-1].sequence:
            return None
        query = sql.select(EVENTS.c.event).where(
            EVENTS.c.job_id == job_id, EVENTS.c.sequence == last
        )
        is_ours = db.execute(query).scalar_one() == _event_bytes(doubt.rows[-1])
        return doubt.rows if is_ours else None


def _job(row: sql.Row[Any]) -> Job:
    return wire.to_job(pb.Job.FromString(row.job))


def _values(job: Job) -> dict[str, Any]:
    return {
        "state": job.state,
        "job": wire.from_job(job).SerializeToString(),
        "ended_us": None if job.ended_at is None else _since_epoch_us(job.ended_at),
    }


def _since_epoch_us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _get(db: sql.Connection, job_id: str) -> Job:
    row = db.execute(_JOB, {"job_id": job_id}).one_or_none()
    if row is None:
        raise JobNotFoundError(job_id)
    return _job(row)


def _number(db: sql.Connection, job_id: str) -> int:
    query = sql.select(JOBS.c.number).where(JOBS.c.id == job_id)
    number: int | None = db.execute(query).scalar()
    if number is None:
        raise JobNotFoundError(job_id)
    return number


def _last_sequence(db: sql.Connection, job_id: str) -> int:
    return db.execute(_LAST, {"job_id": job_id}).scalar() or 0


def _event_bytes(row: JobEvent) -> bytes:
    return wire.from_job_event(row).SerializeToString()


def _insert(db: sql.Connection, job_id: str, rows: Sequence[JobEvent]) -> None:
    values = [
        {"job_id": job_id, "sequence": row.sequence, "event": _event_bytes(row)} for row in rows
    ]
    if values:
        db.execute(_INSERT, values)


def _update(db: sql.Connection, job: Job) -> None:
    db.execute(_UPDATE, {"job_id": job.id, **_values(job)})
