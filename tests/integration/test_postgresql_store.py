"""Jobs in a real PostgreSQL server: who may write, and what happens when it cannot be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest
import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from coordinator.job import Event, JobState, PageLogged, ProgressMade, StateChanged
from coordinator.stores.base import LostLeadershipError, StoreDownError, StoreUnfitError
from coordinator.stores.postgresql import open_leader_lock, open_postgresql_store
from coordinator.stores.schema import METADATA
from coordinator.stores.sql import SqlJobStore
from tests.support.postgres import PostgresServer
from tests.support.tasks import a_job
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

FIRST: tuple[Event, ...] = (ProgressMade(1, 30), ProgressMade(2, 30))
NEWS: tuple[Event, ...] = (StateChanged(JobState.RENDERING), ProgressMade(3, 30))


@pytest.fixture
def url(postgres: PostgresServer) -> sql.URL:
    return sql.make_url(postgres.new_store())


@asynccontextmanager
async def leading_store(url: sql.URL, *, patience_s: float = 10.0) -> AsyncGenerator[SqlJobStore]:
    async with open_postgresql_store(url, patience_s=patience_s) as store:
        await store.begin_term()
        yield store


@asynccontextmanager
async def store_behind_proxy(
    url: sql.URL, *, patience_s: float = 10.0
) -> AsyncGenerator[tuple[SqlJobStore, TcpProxy]]:
    async with tcp_proxy(f"127.0.0.1:{url.port}") as proxy:
        port = int(proxy.address.rpartition(":")[2])
        async with leading_store(url.set(port=port), patience_s=patience_s) as store:
            await store.add(a_job(), request_id="")
            yield store, proxy


def execute(url: sql.URL, statement: str) -> None:
    with psycopg.connect(url.render_as_string(), autocommit=True) as db:
        db.execute(statement.encode())


async def kept(store: SqlJobStore) -> tuple[Event, ...]:
    events = await store.events("job", after=0, most=1_000)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return tuple(event.event for event in events)


async def test_who_was_followed_cannot_write_any_more(url: sql.URL) -> None:
    async with leading_store(url) as first, leading_store(url) as second:
        await second.add(a_job(job_id="one"), request_id="")
        before = await second.get("one")

        writes = (
            first.append("one", NEWS),
            first.add(a_job(job_id="two"), request_id="wish"),
            first.delete("one"),
        )
        for write in writes:
            with pytest.raises(LostLeadershipError, match=r"term 1 is over.*term 2 leads"):
                await write

        assert await first.page(size=9) == [before]
        await second.append("one", NEWS)


async def test_who_has_not_begun_to_lead_cannot_write(url: sql.URL) -> None:
    async with open_postgresql_store(url) as store:
        with pytest.raises(LostLeadershipError, match="has no term"):
            await store.add(a_job(), request_id="")

        assert await store.page(size=9) == []


async def test_a_term_begins_after_the_writes_of_the_one_before(url: sql.URL) -> None:
    """A transaction that has named its term is waited for, and one that is frozen is ended."""
    async with leading_store(url) as store, open_postgresql_store(url) as next_one:
        await store.add(a_job(), request_id="")
        with psycopg.connect(url.render_as_string()) as frozen:
            frozen.execute("SET idle_in_transaction_session_timeout = '500ms'")
            frozen.execute("SELECT term FROM leadership FOR SHARE")
            await store.check_lead()
            assert await next_one.begin_term() == 2
            with pytest.raises(LostLeadershipError, match="term 1 is over"):
                await store.check_lead()
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                frozen.execute("SELECT 1")


async def test_starts_at_the_same_time_make_the_tables_once(url: sql.URL) -> None:
    async with AsyncExitStack() as stack:
        opening = (stack.enter_async_context(open_postgresql_store(url)) for _ in range(4))
        stores = await asyncio.gather(*opening)

        assert [await store.begin_term() for store in stores] == [1, 2, 3, 4]


async def test_the_migrations_make_the_tables_that_are_used(url: sql.URL) -> None:
    async with open_postgresql_store(url):
        pass

    engine = sql.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sql.NullPool)
    with engine.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []


async def test_a_newer_database_is_refused(url: sql.URL) -> None:
    async with open_postgresql_store(url):
        pass
    execute(url, "UPDATE alembic_version SET version_num = '9000'")

    with pytest.raises(StoreUnfitError, match=r"newer framefarm .*9000.*--store"):
        async with open_postgresql_store(url):
            pass


async def test_what_is_kept_is_on_the_servers_disk_whatever_it_is_told(url: sql.URL) -> None:
    options = f"{url.query['options']} -csynchronous_commit=off"
    async with open_postgresql_store(url.update_query_dict({"options": options})) as store:
        show = sql.text("SHOW synchronous_commit")
        said = await store._database.read(lambda db: str(db.execute(show).scalar_one()))
    assert said == "on"


async def test_sessions_that_the_server_ends_are_made_anew(url: sql.URL) -> None:
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'"
    async with leading_store(url) as store:
        await store.add(a_job(), request_id="")
        for event in NEWS:
            execute(url, f"{end} AND pid <> pg_backend_pid()")
            await store.append("job", [event])

        assert await kept(store) == NEWS


@pytest.mark.parametrize("request_", [b"BEGIN", b"FOR SHARE", b"COMMIT"])
async def test_an_append_whose_answer_was_lost_is_done_once(url: sql.URL, request_: bytes) -> None:
    async with store_behind_proxy(url) as (store, proxy):
        await store.append("job", FIRST)
        proxy.lose_answer_to(request_)
        rows = await store.append("job", NEWS)

        assert proxy.has_lost
        assert await kept(store) == (*FIRST, *NEWS)
        assert await store.events("job", after=len(FIRST), most=9) == list(rows)


@pytest.mark.parametrize("write", ["add", "delete"])
async def test_other_writes_are_not_done_twice_either(url: sql.URL, write: str) -> None:
    async with store_behind_proxy(url) as (store, proxy):
        proxy.lose_answer_to(b"COMMIT")
        if write == "add":
            job = a_job(job_id="new")
            assert await store.add(job, request_id="") == job
        else:
            await store.delete("job")

        assert [job.id for job in await store.page(size=9)] == (
            ["new", "job"] if write == "add" else []
        )


async def test_what_a_call_gave_up_can_be_asked_again_and_is_done_once(url: sql.URL) -> None:
    async with store_behind_proxy(url, patience_s=0.3) as (store, proxy):
        proxy.lose_answer_to(b"COMMIT", stay_cut=True)
        with pytest.raises(StoreDownError, match="is the server up"):
            await store.append("job", NEWS)
        with pytest.raises(StoreDownError):
            await store.get("job")
        proxy.mend()

        await store.append("job", NEWS)
        await store.append("job", [ProgressMade(4, 30)])

        assert await kept(store) == (*NEWS, ProgressMade(4, 30))


async def test_writes_wait_for_a_server_that_comes_back(url: sql.URL) -> None:
    async with store_behind_proxy(url) as (store, proxy):
        proxy.cut()
        lines = [PageLogged(chunk_index=0, level="log", text=str(number)) for number in range(5)]
        appending = [asyncio.create_task(store.append("job", [line])) for line in lines]
        with pytest.raises(StoreDownError):
            await store.get("job")
        assert not any(task.done() for task in appending)
        appending[3].cancel()  # it was begun: it is kept
        proxy.mend()
        await asyncio.wait(appending)

        assert await kept(store) == tuple(lines)


async def test_a_server_that_falls_asleep_is_not_waited_for(url: sql.URL) -> None:
    async with open_postgresql_store(url) as store, tcp_proxy(f"127.0.0.1:{url.port}") as proxy:
        await store.begin_term()
        port = int(proxy.address.rpartition(":")[2])
        near, far = open_leader_lock(url), open_leader_lock(url.set(port=port), answer_s=4.0)
        async with far as lock, near as other:
            assert await lock.hold()
            assert not await other.hold()
            proxy.hold()
            with pytest.raises(StoreDownError):
                await lock.hold()
            proxy.release()

            assert await lock.hold()
            assert await lock.term() == 1


async def test_errors_do_not_tell_the_password(postgres: PostgresServer) -> None:
    url = sql.make_url("postgresql://me:secret-word@127.0.0.1:1/jobs")

    with pytest.raises(StoreDownError, match=r"me:\*\*\*@127\.0\.0\.1:1/jobs") as caught:
        async with open_postgresql_store(url, patience_s=0.0):
            pass

    assert "secret-word" not in str(caught.value)
