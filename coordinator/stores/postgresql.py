"""Jobs and events in PostgreSQL, by one connection on one thread; and the lock of who leads.

Several coordinators may name one database: one leads, and the term in each write keeps the others
from writing (docs/decisions/0028-who-leads.md).
"""

from __future__ import annotations

import logging
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
import sqlalchemy as sql
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from .base import StoreDownError, StoreUnfitError
from .database import Database, open_database
from .migrating import bring_up_to_date
from .schema import LEADERSHIP
from .sql import SqlJobStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

log = logging.getLogger(__name__)

_OLDEST: Final = 140_000  # idle_session_timeout came with 14
# The network may lose a server without a word. What the URL says goes before.
_CONNECTION: Final = {
    "application_name": "framefarm-coordinator",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
_STORE_SESSION: Final = {
    "statement_timeout": "10s",
    "lock_timeout": "8s",
    # A coordinator that is frozen in a transaction must not keep the next one from its first.
    "idle_in_transaction_session_timeout": "4s",
}
# Whoever says nothing for so long leads no more: the server ends the session, and with it the lock.
SILENCE_S: Final = 5
_LOCK_SESSION: Final = {**_STORE_SESSION, "idle_session_timeout": f"{SILENCE_S}s"}
_MIGRATION: Final = 0x66726D66  # advisory locks' numbers are anyone's: ours spell frmf and frml
_LEADER: Final = 0x66726D6C
_SQL_STATES_DOWN: Final = ("08", "53", "55P03", "57", "58", "40", "25006", "25P03")


class PostgreSQL:
    """What is special about a server."""

    def __init__(self, url: sql.URL, *, answer_s: float) -> None:
        self.name = _named(url)
        self.answer_s: float | None = answer_s
        self._wire: socket.socket | None = None

    def told(self, error: DBAPIError) -> Exception:
        state = getattr(error.orig, "sqlstate", None)
        why = " ".join(str(error.orig).split())
        broken = isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError)
        if state.startswith(_SQL_STATES_DOWN) if state else broken:
            return StoreDownError(
                f"{self.name} cannot be used: {why}; is the server up, and reached from here?"
            )
        return error

    def connected(self, connection: psycopg.Connection[Any]) -> None:
        """Keep a hold of the connection's socket: one of our own, which nobody else closes."""
        self.disconnected()
        self._wire = socket.socket(fileno=os.dup(connection.fileno()))

    def disconnected(self) -> None:
        if self._wire:
            self._wire.close()

    def interrupt(self) -> None:
        if self._wire and self._wire.fileno() >= 0:
            try:
                self._wire.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("connection was gone already", extra={"error": str(error)})


class LeaderLock:
    """The advisory lock of a database. It is held by a session, and by one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self) -> bool:
        """Take the lock, or see that this session still has it; False: another one has.

        Raises:
            StoreDownError: nobody knows.

        """

        def work(db: sql.Connection) -> bool:
            # By schema: two farms may share a database.
            place = db.execute(sql.text("SELECT hashtext(current_schema())")).scalar_one()
            keys = {"kind": _LEADER, "place": place}
            if db.execute(_IS_HELD, keys).scalar_one():
                return True
            return bool(db.execute(_TRY_TO_LOCK, keys).scalar_one())

        return await self._database.read(work)

    async def term(self) -> int:
        """The number of the coordinator that began to lead last."""
        query = sql.select(LEADERSHIP.c.term)
        return await self._database.read(lambda db: int(db.execute(query).scalar_one()))


_TRY_TO_LOCK: Final = sql.text("SELECT pg_try_advisory_lock(:kind, :place)")
_IS_HELD: Final = sql.text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND pid = pg_backend_pid() AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :kind AND objid::bigint = (:place)::bigint & 4294967295)"
)


@asynccontextmanager
async def open_postgresql_store(
    url: sql.URL, *, patience_s: float = 10.0
) -> AsyncGenerator[SqlJobStore]:
    """Open the store at `url`; its tables are made, or brought up to date.

    Raises:
        StoreUnfitError: it is of a newer framefarm, or the server is too old.
        StoreDownError: the server cannot be reached.

    """
    async with _open(url, _STORE_SESSION, answer_s=15.0, patience_s=patience_s) as database:

        def prepare(db: sql.Connection) -> None:
            db.execute(sql.text("SET LOCAL statement_timeout = 0"))
            db.execute(sql.text("SET LOCAL lock_timeout = 0"))
            db.execute(sql.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION})
            bring_up_to_date(db, name=_named(url))

        await database.write(prepare)
        yield SqlJobStore(database, must_lead=True)


@asynccontextmanager
async def open_leader_lock(url: sql.URL, *, answer_s: float = 3.0) -> AsyncGenerator[LeaderLock]:
    """Connect to the database for its lock alone. It has to be held every second."""
    async with _open(url, _LOCK_SESSION, answer_s=answer_s, patience_s=0.0) as database:
        yield LeaderLock(database)


@asynccontextmanager
async def _open(
    url: sql.URL, session: Mapping[str, str], *, answer_s: float, patience_s: float
) -> AsyncGenerator[Database]:
    url = url.set(drivername="postgresql+psycopg")
    kind = PostgreSQL(url, answer_s=answer_s)

    def set_up(connection: psycopg.Connection[Any], _record: object) -> None:
        kind.connected(connection)
        _check_version(connection.info.server_version, kind.name)
        _set_session(connection, session)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs-db") as thread:
        given = {name: value for name, value in _CONNECTION.items() if name not in url.query}
        engine = sql.create_engine(url, poolclass=StaticPool, connect_args=given)
        listen(engine, "connect", set_up)
        try:
            async with open_database(engine, thread, kind, patience_s=patience_s) as database:
                yield database
        finally:
            kind.disconnected()


def _named(url: sql.URL) -> str:
    said = url.set(drivername="postgresql")
    return f"the jobs database {said.render_as_string(hide_password=True)}"


def _check_version(version: int, name: str) -> None:
    if version < _OLDEST:
        raise StoreUnfitError(
            f"{name} is served by PostgreSQL {version // 10_000}: framefarm needs "
            f"{_OLDEST // 10_000} or newer"
        )


def _set_session(connection: psycopg.Connection[Any], session: Mapping[str, str]) -> None:
    for name, value in session.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # What was said to be kept is kept: a server may be told to promise less.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
