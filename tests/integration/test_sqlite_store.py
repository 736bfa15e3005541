"""Jobs in a file: of older and newer versions, damaged, in use, and on a disk that is full."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from coordinator import wire
from coordinator.job import Job, JobState, PageLogged, ProgressMade, StateChanged
from coordinator.stores.base import JobStore, StoreDownError, StoreUnfitError
from coordinator.stores.migrating import migrate
from coordinator.stores.schema import METADATA, NEWEST
from coordinator.stores.sqlite import open_sqlite_store
from tests.support.eventually import eventually
from tests.support.tasks import a_spec

# What the versions before Alembic made.
OLD_TABLES = """
CREATE TABLE jobs (number INTEGER NOT NULL, id VARCHAR NOT NULL, request_id VARCHAR,
    state VARCHAR NOT NULL, job BLOB NOT NULL, PRIMARY KEY (number), UNIQUE (id),
    UNIQUE (request_id));
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE TABLE events (job_id VARCHAR NOT NULL, sequence INTEGER NOT NULL, event BLOB NOT NULL,
    PRIMARY KEY (job_id, sequence));
"""
BIG = PageLogged(chunk_index=0, level="log", text="x" * 3_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def a_job(job_id: str = "one") -> Job:
    now = datetime.now(UTC)
    return Job(id=job_id, state=JobState.QUEUED, spec=a_spec(), frames_done=0, created_at=now)


def make_old_database(file: Path, jobs: Sequence[Job]) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.executescript("PRAGMA journal_mode=WAL;" + OLD_TABLES)
        for job in jobs:
            row = (job.id, f"wish-{job.id}", job.state, wire.from_job(job).SerializeToString())
            db.execute("INSERT INTO jobs (id, request_id, state, job) VALUES (?, ?, ?, ?)", row)


async def test_a_database_of_the_first_versions_keeps_its_jobs(file: Path) -> None:
    ended = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    jobs = [replace(a_job("done"), state=JobState.FAILED, ended_at=ended), a_job("open")]
    make_old_database(file, jobs)

    async with open_sqlite_store(file) as store:
        assert await store.page(size=9) == jobs[::-1]
        assert await store.add(a_job("new"), request_id="wish-open") == jobs[1]
        assert await store.ended_before(datetime.now(UTC), most=9) == jobs[:1]
        assert await store.begin_term() == 1
    async with open_sqlite_store(file) as store:
        assert await store.begin_term() == 2


@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
async def test_the_migrations_make_the_tables_that_are_used(file: Path, old: bool) -> None:
    if old:
        make_old_database(file, [])
    async with open_sqlite_store(file):
        pass

    engine = sql.create_engine(f"sqlite:///{file}", poolclass=sql.NullPool)
    with engine.connect() as db:
        context = MigrationContext.configure(db)
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == NEWEST


async def test_a_new_database_is_what_all_migrations_make(file: Path, tmp_path: Path) -> None:
    async with open_sqlite_store(file):
        pass
    migrated = sql.create_engine(f"sqlite:///{tmp_path / 'migrated'}", poolclass=sql.NullPool)
    with migrated.begin() as db:
        migrate(db, None, name="the test's")

    made = sql.create_engine(f"sqlite:///{file}", poolclass=sql.NullPool)
    assert described(made) == described(migrated)


def described(engine: sql.Engine) -> dict[str, object]:
    """All that a database says of its tables, and what is in them."""
    inspector = sql.inspect(engine)
    with engine.connect() as db:
        return {
            name: (
                str(inspector.get_columns(name)),
                inspector.get_pk_constraint(name),
                sorted(inspector.get_unique_constraints(name), key=str),
                inspector.get_indexes(name),
                db.execute(sql.text(f"SELECT * FROM {name}")).all(),
            )
            for name in inspector.get_table_names()
        }


async def test_a_newer_database_is_refused_and_left_as_it_is(file: Path) -> None:
    async with open_sqlite_store(file) as store:
        await store.add(a_job(), request_id="")
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9000'")
    before = file.read_bytes()

    with pytest.raises(StoreUnfitError, match=r"newer framefarm .*9000.*--data-dir"):
        async with open_sqlite_store(file):
            pass

    assert file.read_bytes() == before


async def test_a_migration_that_breaks_off_changes_nothing(file: Path) -> None:
    make_old_database(file, [a_job()])
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE jobs SET job = x'ff'")  # what the second revision cannot read

    for _ in range(2):
        with pytest.raises(Exception, match="parsing"):
            async with open_sqlite_store(file):
                pass

    with closing(sqlite3.connect(file)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    assert "leadership" not in tables


async def test_a_damaged_database_is_refused_with_what_to_do(file: Path) -> None:
    async with open_sqlite_store(file) as store:
        await store.add(a_job(), request_id="")
        await store.append("one", [BIG] * 50)
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(size // 2)
        damaged.write(b"\xff" * (size // 4))

    with pytest.raises(StoreUnfitError, match=r"damaged \(.*put a copy"):
        async with open_sqlite_store(file):
            pass


async def test_a_file_of_something_else_is_refused(file: Path) -> None:
    file.write_bytes(b"not a database" * 500)

    with pytest.raises(StoreUnfitError, match="file is not a database"):
        async with open_sqlite_store(file):
            pass


async def test_a_file_has_one_user(file: Path) -> None:
    async with open_sqlite_store(file):
        with pytest.raises(StoreUnfitError, match=r"in use: .*--data-dir"):
            async with open_sqlite_store(file):
                pass


async def fill(store: JobStore) -> None:
    for _ in range(500):
        await store.append("one", [BIG] * 10)


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """What a disk that fails does to a file that grows: the kernel refuses to write it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_cannot_be_written_is_told_and_loses_nothing(file: Path) -> None:
    async with open_sqlite_store(file, patience_s=0.2) as store:
        await store.add(a_job(), request_id="")
        with files_of_at_most(2_000_000):
            with pytest.raises(StoreDownError, match=r"jobs\.sqlite.*disk"):
                await fill(store)
            kept = await store.events("one", after=0, most=100_000)
            with pytest.raises(StoreDownError):
                await store.append("one", [ProgressMade(1, 30)])

        await store.append("one", [ProgressMade(1, 30)])

        events = await store.events("one", after=0, most=100_000)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert events[: len(kept)] == kept
        assert [event.event for event in events].count(ProgressMade(1, 30)) == 1


async def test_a_write_waits_for_the_disk_while_reads_go_on(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "coordinator.stores.database")
    async with open_sqlite_store(file, patience_s=100.0) as store:
        await store.add(a_job(), request_id="")
        with files_of_at_most(1_000_000):
            filling = asyncio.create_task(fill(store))
            await eventually(lambda: bool(caplog.messages), within_s=60)
            for _ in range(3):
                assert (await store.get("one")).state is JobState.QUEUED
            assert not filling.done()
        await filling
        await store.append("one", [StateChanged(JobState.RENDERING)])

        events = await store.events("one", after=0, most=100_000)
        assert len(events) == 5_001
    assert caplog.messages == [
        "jobs database cannot be written",
        "jobs database can be written again",
    ]
