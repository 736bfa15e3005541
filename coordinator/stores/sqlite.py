"""SqliteJobStore: jobs and events in one SQLite file, by one connection on one thread.

SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log that several connections use
(docs/decisions/0005-one-sqlite-connection.md); one thread also gives events their order.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sql
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.event import listen
from sqlalchemy.pool import StaticPool

from coordinator import wire
from coordinator.job import Event, Job, JobEvent, JobState, Output, changed
from protos.framefarm.v1 import coordinator_pb2 as pb

from .base import JobNotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

_METADATA = sql.MetaData()
_LARGEST = (1 << 63) - 1  # what SQLite holds; the wire's numbers go further

# Specifications, errors, outputs and events are kept as the protobuf messages of the wire: they
# are read whole, and protobuf already knows how to grow.
_JOBS = sql.Table(
    "jobs",
    _METADATA,
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("id", sql.String, unique=True, nullable=False),
    sql.Column("request_id", sql.String, unique=True),
    sql.Column("state", sql.String, nullable=False, index=True),
    sql.Column("job", sql.LargeBinary, nullable=False),
)
_EVENTS = sql.Table(
    "events",
    _METADATA,
    sql.Column("job_id", sql.String, primary_key=True),
    sql.Column("sequence", sql.Integer, primary_key=True),
    sql.Column("event", sql.LargeBinary, nullable=False),
)
# One row for each coordinator that began to lead.
_TERMS = sql.Table("terms", _METADATA, sql.Column("term", sql.Integer, primary_key=True))


class SqliteJobStore:
    """A JobStore in a file. See `open_sqlite_store`."""

    def __init__(self, engine: sql.Engine, thread: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._thread = thread

    async def begin_term(self) -> int:
        def work(db: sql.Connection) -> int:
            term = (db.execute(sql.select(sql.func.max(_TERMS.c.term))).scalar() or 0) + 1
            db.execute(sql.insert(_TERMS).values(term=term))
            return term

        return await self._in_transaction(work)

    async def add(self, job: Job, *, request_id: str) -> Job:
        row = {
            "id": job.id,
            "request_id": request_id or None,
            "state": job.state,
            "job": wire.from_job(job).SerializeToString(),
        }

        def work(db: sql.Connection) -> Job:
            db.execute(insert(_JOBS).values(row).on_conflict_do_nothing(["request_id"]))
            mine = _JOBS.c.request_id == request_id if request_id else _JOBS.c.id == job.id
            return _job(db.execute(sql.select(_JOBS.c.job).where(mine)).one())

        return await self._in_transaction(work)

    async def get(self, job_id: str) -> Job:
        return await self._in_transaction(lambda db: _get(db, job_id))

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        query = sql.select(_JOBS.c.job).order_by(_JOBS.c.number.desc()).limit(size)
        if before:
            number = sql.select(_JOBS.c.number).where(_JOBS.c.id == before).scalar_subquery()
            query = query.where(_JOBS.c.number < number)
        return await self._in_transaction(lambda db: [_job(row) for row in db.execute(query)])

    async def unfinished(self) -> Sequence[Job]:
        final = [state for state in JobState if state.is_final]
        query = sql.select(_JOBS.c.job).where(_JOBS.c.state.not_in(final)).order_by(_JOBS.c.number)
        return await self._in_transaction(lambda db: [_job(row) for row in db.execute(query)])

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        final = [state for state in JobState if state.is_final]
        query = sql.select(_JOBS.c.job).where(_JOBS.c.state.in_(final)).order_by(_JOBS.c.number)

        def work(db: sql.Connection) -> Sequence[Job]:
            ended = [(job.ended_at, job) for job in map(_job, db.execute(query)) if job.ended_at]
            before = sorted((pair for pair in ended if pair[0] < at), key=lambda pair: pair[0])
            return [job for _, job in before[:most]]

        return await self._in_transaction(work)

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        at = datetime.now(UTC)

        def work(db: sql.Connection) -> Sequence[JobEvent]:
            job = _get(db, job_id)
            rows = [
                JobEvent(sequence=sequence, at=at, event=event)
                for sequence, event in enumerate(events, start=_last_sequence(db, job_id) + 1)
            ]
            for row in rows:
                _insert(db, job_id, row)
                job = changed(job, row)
            _update(db, job if output is None else replace(job, output=output))
            return rows

        return await self._in_transaction(work)

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        query = (
            sql.select(_EVENTS.c.event)
            .where(_EVENTS.c.job_id == job_id, _EVENTS.c.sequence > min(after, _LARGEST))
            .order_by(_EVENTS.c.sequence)
            .limit(most)
        )

        def work(db: sql.Connection) -> Sequence[JobEvent]:
            _get(db, job_id)
            rows = db.execute(query)
            return [wire.to_job_event(pb.JobEvent.FromString(row.event)) for row in rows]

        return await self._in_transaction(work)

    async def delete(self, job_id: str) -> None:
        def work(db: sql.Connection) -> None:
            _get(db, job_id)
            db.execute(sql.delete(_EVENTS).where(_EVENTS.c.job_id == job_id))
            db.execute(sql.delete(_JOBS).where(_JOBS.c.id == job_id))

        await self._in_transaction(work)

    async def _in_transaction(self, work: Callable[[sql.Connection], T]) -> T:
        def run() -> T:
            with self._engine.begin() as db:
                return work(db)

        loop = asyncio.get_running_loop()
        # Cancelled while the thread is busy, it would never be carried out.
        return await asyncio.shield(loop.run_in_executor(self._thread, run))


@asynccontextmanager
async def open_sqlite_store(file: Path) -> AsyncGenerator[SqliteJobStore]:
    """Open the store in `file`, which is made when it is not there."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs-db") as thread:
        engine = sql.create_engine(f"sqlite:///{file}", poolclass=StaticPool)
        listen(engine, "connect", _set_up)
        await loop.run_in_executor(thread, _METADATA.create_all, engine)
        try:
            yield SqliteJobStore(engine, thread)
        finally:
            await loop.run_in_executor(thread, engine.dispose)


def _set_up(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _job(row: sql.Row[Any]) -> Job:
    return wire.to_job(pb.Job.FromString(row.job))


def _get(db: sql.Connection, job_id: str) -> Job:
    row = db.execute(sql.select(_JOBS.c.job).where(_JOBS.c.id == job_id)).one_or_none()
    if row is None:
        raise JobNotFoundError(job_id)
    return _job(row)


def _last_sequence(db: sql.Connection, job_id: str) -> int:
    query = sql.select(sql.func.max(_EVENTS.c.sequence)).where(_EVENTS.c.job_id == job_id)
    return db.execute(query).scalar() or 0


def _insert(db: sql.Connection, job_id: str, row: JobEvent) -> None:
    event = wire.from_job_event(row).SerializeToString()
    db.execute(sql.insert(_EVENTS).values(job_id=job_id, sequence=row.sequence, event=event))


def _update(db: sql.Connection, job: Job) -> None:
    values = {"state": job.state, "job": wire.from_job(job).SerializeToString()}
    db.execute(sql.update(_JOBS).where(_JOBS.c.id == job.id).values(values))
