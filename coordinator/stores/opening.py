"""Which store a URL names, and how it and the lock of its leader are opened."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError

from .sqlite import open_sqlite_store

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from .postgresql import LeaderLock
    from .sql import SqlJobStore

_FILE: Final = "jobs.sqlite"
_SQLITE: Final = frozenset({"sqlite", "sqlite+pysqlite"})
# `postgres` is what many who rent out servers write.
_POSTGRESQL: Final = frozenset({"postgresql", "postgresql+psycopg", "postgres"})
_LIKE: Final = "write it like postgresql://USER@HOST/DATABASE, or sqlite:////FOLDER/jobs.sqlite"


def store_url(text: str, data_dir: Path) -> sql.URL:
    """Read what a user says; nothing is a file in the data directory.

    Raises:
        ValueError: it names no store. It may hold a password, so the message does not repeat it.

    """
    if not text:
        return sql.URL.create("sqlite", database=str(data_dir / _FILE))
    try:
        url = sql.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"it is not a URL; {_LIKE}") from error
    if url.drivername in _POSTGRESQL:
        return url
    if url.drivername not in _SQLITE:
        raise ValueError(f"{url.drivername} is no store that framefarm knows; {_LIKE}")
    if url.database in (None, "", ":memory:"):
        raise ValueError(f"it names no file; {_LIKE}")
    return url


def open_store(url: sql.URL, *, patience_s: float) -> AbstractAsyncContextManager[SqlJobStore]:
    """Open what `store_url` has read. See the two functions for what they raise."""
    if url.drivername in _SQLITE:
        return open_sqlite_store(Path(url.database or _FILE), patience_s=patience_s)
    from .postgresql import open_postgresql_store

    return open_postgresql_store(url, patience_s=patience_s)


def open_lock(url: sql.URL) -> AbstractAsyncContextManager[LeaderLock | None]:
    """Open the lock of who leads; None for a file, which one process alone can open."""
    if url.drivername in _SQLITE:
        return nullcontext()
    from .postgresql import open_leader_lock

    return open_leader_lock(url)
