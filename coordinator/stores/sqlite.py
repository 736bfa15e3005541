"""Jobs and events in one SQLite file, by one connection on one thread.

SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log that several connections use: the file is
locked for this one (docs/decisions/0005-one-sqlite-connection.md).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sql
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from .base import StoreDownError, StoreFullError, StoreUnfitError
from .database import open_database
from .migrating import bring_up_to_date
from .sql import SqlJobStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

log = logging.getLogger(__name__)

_PRAGMAS: Final = (
    "locking_mode=EXCLUSIVE",  # before the WAL is opened: then no other process can
    "busy_timeout=1000",
    "journal_mode=WAL",
    "journal_size_limit=67108864",  # a log that grew once does not keep the disk
    "synchronous=FULL",  # what was said to be kept outlives a power cut
)
_DOWN: Final = {
    sqlite3.SQLITE_FULL: "its disk is full: free some space",
    sqlite3.SQLITE_IOERR: "its disk cannot be read or written: see the system's log",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: are its folder and its rights as they were?",
    sqlite3.SQLITE_READONLY: "it cannot be written: is its disk mounted read-only?",
    sqlite3.SQLITE_BUSY: "another program has it open: end that program",
}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Sqlite:
    """What is special about a file."""

    answer_s: float | None = None

    def __init__(self, file: Path) -> None:
        self._file = file

    def told(self, error: DBAPIError) -> Exception:
        # The rest of the number says where it happened.
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            return self.damaged(str(error.orig))
        if why := _DOWN.get(code):
            kind = StoreFullError if code == sqlite3.SQLITE_FULL else StoreDownError
            return kind(f"the jobs database {self._file}: {error.orig}; {why}")
        return error

    def damaged(self, what: str) -> StoreUnfitError:
        return StoreUnfitError(
            f"the jobs database {self._file} is damaged ({what}): put a copy of it in its place; "
            "or, to begin without its jobs, move it and its -wal file away"
        )

    def interrupt(self) -> None:
        """Nothing: a thread that waits for the disk cannot be called back."""


@asynccontextmanager
async def open_sqlite_store(file: Path, *, patience_s: float = 10.0) -> AsyncGenerator[SqlJobStore]:
    """Open the store in `file`, which is made when it is not there.

    Raises:
        StoreUnfitError: it is damaged, in use, or of a newer version.
        StoreDownError: it cannot be read or written.

    """
    loop = asyncio.get_running_loop()
    kind = Sqlite(file)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs-db") as thread:
        engine = sql.create_engine(f"sqlite:///{file}", poolclass=StaticPool)
        listen(engine, "connect", _set_up)
        listen(engine, "begin", _begin)
        async with open_database(engine, thread, kind, patience_s=patience_s) as database:
            await loop.run_in_executor(thread, _prepare, engine, kind, file)
            yield SqlJobStore(database, must_lead=False)


def _set_up(connection: Any, _record: object) -> None:
    # Else Python begins transactions too late: neither reads nor changes of tables are in one.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(db: sql.Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(engine: sql.Engine, kind: Sqlite, file: Path) -> None:
    try:
        with engine.begin() as db:
            said = db.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if said != "ok":
                raise kind.damaged(" ".join(said.split()))
            bring_up_to_date(db, name=f"the jobs database {file}")
    except DBAPIError as error:
        if _is_busy(error):
            raise StoreUnfitError(
                f"the jobs database {file} is in use: end the other coordinator (or program) that "
                "has it open, or give this one another --data-dir"
            ) from error
        raise kind.told(error) from error
    log.info("jobs database opened", extra={"file": str(file), "sqlite": sqlite3.sqlite_version})


def _is_busy(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
