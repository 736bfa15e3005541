"""Database: transactions on one connection and one thread, tried again while it is down.

One thread gives writes their order. While a write waits for its next try, reads go on: of a full
disk can still be read.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError

from .base import StoreDownError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

log = logging.getLogger(__name__)

T = TypeVar("T")

# People wait for what is read, and only jobs for what is written.
READ_PATIENCE_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0


class Kind(Protocol):
    """What a kind of database knows of itself."""

    # A transaction that takes longer hangs; None where nothing can be done about it.
    answer_s: float | None

    def told(self, error: DBAPIError) -> Exception:
        """Return the error as callers know it: StoreDownError for one that may pass."""
        ...

    def interrupt(self) -> None:
        """Make the transaction that hangs fail."""
        ...


class Database:
    """Runs transactions. See `open_database`."""

    def __init__(
        self, engine: sql.Engine, thread: ThreadPoolExecutor, kind: Kind, *, patience_s: float
    ) -> None:
        self._engine = engine
        self._thread = thread
        self._kind = kind
        self._patience_s = patience_s
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        # Of a full disk can be read: each way is down by itself.
        self._reads = _Way("read")
        self._writes = _Way("written")

    async def write(self, work: Callable[[sql.Connection], T]) -> T:
        """Carry out a transaction, even when the caller leaves, and before all that come after it.

        `work` is called again when it is not known what became of it: it must look first.

        Raises:
            StoreDownError: for longer than the store's patience.

        """
        return await asyncio.shield(self._begun(self._write(work)))

    async def read(self, work: Callable[[sql.Connection], T]) -> T:
        """Carry out a transaction that changes nothing."""
        patience_s = min(READ_PATIENCE_S, self._patience_s)
        deadline_s = asyncio.get_running_loop().time() + patience_s
        return await self._begun(self._tried(work, self._reads, deadline_s))

    async def finish(self) -> None:
        """Wait for what was begun and left alone."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="jobs-db")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write(self, work: Callable[[sql.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._patience_s
        async with self._writing:
            if (down := self._writes.down) and loop.time() >= deadline_s:
                raise type(down)(str(down)) from down
            return await self._tried(work, self._writes, deadline_s)

    async def _tried(self, work: Callable[[sql.Connection], T], way: _Way, deadline_s: float) -> T:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                done = await self._attempt(work)
            except StoreDownError as error:
                way.note(error)
                if asyncio.get_running_loop().time() + pause_s > deadline_s:
                    raise
            else:
                way.note(None)
                return done
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _attempt(self, work: Callable[[sql.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, self._in_transaction, work)
        done, _ = await asyncio.wait({running}, timeout=self._kind.answer_s)
        if not done:
            self._kind.interrupt()
        return await running

    def _in_transaction(self, work: Callable[[sql.Connection], T]) -> T:
        try:
            with self._engine.begin() as db:
                return work(db)
        except DBAPIError as error:
            raise self._kind.told(error) from error


class _Way:
    """Whether one way of using the database works; its log says when that changes."""

    def __init__(self, done: str) -> None:
        self.down: StoreDownError | None = None
        self._done = done

    def note(self, down: StoreDownError | None) -> None:
        if down and not self.down:
            log.warning("jobs database cannot be %s", self._done, extra={"error": str(down)})
        if self.down and not down:
            log.info("jobs database can be %s again", self._done)
        self.down = down


@asynccontextmanager
async def open_database(
    engine: sql.Engine, thread: ThreadPoolExecutor, kind: Kind, *, patience_s: float
) -> AsyncGenerator[Database]:
    """Use an engine with one connection on a thread that is used for nothing else."""
    database = Database(engine, thread, kind, patience_s=patience_s)
    try:
        yield database
    finally:
        await database.finish()
        await asyncio.get_running_loop().run_in_executor(thread, engine.dispose)
