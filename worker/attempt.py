"""Attempt: one try at a chunk. It outlives the call that began it, for a while."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from executors.base import Filmed, FramesDone
from executors.errors import AttemptNotFoundError, ChunkAbortedError, WorkerBusyError
from executors.status import ABANDONED, DRAINING, JOB_OVERDUE

from .outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from executors.base import ChunkEvent, ChunkTask, OnProgress
    from executors.errors import ExecutorError

    Tell = Callable[[Any], Awaitable[None]]  # a message to a caller
    Work = Callable[[OnProgress], AbstractAsyncContextManager["Answer"]]

log = logging.getLogger(__name__)

DETACH_S: Final = 30.0


class Answer(Protocol):
    """What came of an attempt; it knows how to be told."""

    async def send(self, tell: Tell, *, offset: int) -> None:
        """Tell it whole, the bytes of its file from `offset` on."""
        ...


class Caller:
    """Who listens to an attempt. It is to leave when it is sent away, and tells when it has."""

    def __init__(self) -> None:
        self.sent_away: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = asyncio.Event()

    def send_away(self) -> None:
        if not self.sent_away.done():
            self.sent_away.set_result(None)


class Attempt:
    """A try at a chunk, and what came of it. `frames_done` is for those who ask.

    It has one caller at a time, or none. When nobody takes anything of it for `detach_s` it stops
    by itself: whoever wanted it is gone, or cut off, and has it done elsewhere.
    """

    def __init__(self, task: ChunkTask, *, detach_s: float = DETACH_S) -> None:
        loop = asyncio.get_running_loop()
        self.task = task
        self.token = (task.term, task.attempt)
        self.frames_done = 0
        self.is_filmed = False
        self.draining = False
        self.outbox = Outbox()
        # Why it ends; None: its caller has all of it.
        self.released: asyncio.Future[ExecutorError | None] = loop.create_future()
        self.outcome: asyncio.Future[Answer] = loop.create_future()
        self.outcome.add_done_callback(lambda _: self.outbox.close())
        self.ended = asyncio.Event()  # and nothing of it is here
        self._detach_s = detach_s
        self._caller: Caller | None = None
        self._fuse: asyncio.TimerHandle | None = None
        self._overdue: asyncio.TimerHandle | None = None

    @property
    def is_finished(self) -> bool:
        return self.outcome.done()

    @property
    def holds_slot(self) -> bool:
        return not (self.is_filmed or self.is_finished)

    def stop(self, why: ExecutorError) -> None:
        """End the attempt with this error; the first one counts."""
        if not self.released.done():
            log.info("attempt stopped", extra=fields_of(self.task) | {"reason": str(why)})
            self.released.set_result(why)

    def let_go(self) -> None:
        """Its caller has been told all."""
        if not self.released.done():
            self.released.set_result(None)

    def drain(self) -> None:
        """From now on, run for a caller who listens, or not at all."""
        self.draining = True
        if self._caller is None:
            self._wait_for_caller()

    def end_within(self, seconds: float | None) -> None:
        """Stop when the caller's deadline passes, which is its job's; None: it has none."""
        self._overdue = _replaced(self._overdue, seconds, self._stop_overdue)

    @asynccontextmanager
    async def heard_by(self, caller: Caller) -> AsyncGenerator[None]:
        """Have this caller for the block, and nobody else; who was it before is sent away.

        Raises:
            AttemptNotFoundError: it has ended since.

        """
        while before := self._caller:
            before.send_away()
            await before.left.wait()
        if self.released.done():
            raise AttemptNotFoundError(f"the attempt at chunk {self.task.index} has ended")
        self._caller = caller
        if self.frames_done:  # whatever another caller was told
            self.outbox.put(FramesDone(self.frames_done))
        if self.is_filmed:
            self.outbox.put(Filmed())
        self._fuse = _replaced(self._fuse, None, self._stop_abandoned)
        try:
            yield
        finally:
            self._caller = None
            caller.left.set()
            self._wait_for_caller()

    @contextmanager
    def while_read(self) -> Generator[None]:
        """Stop the attempt when the block, in which a caller is to read something, takes long."""
        self._fuse = _replaced(self._fuse, self._detach_s, self._stop_abandoned)
        try:
            yield
        finally:
            self._fuse = _replaced(self._fuse, None, self._stop_abandoned)

    async def run(self, work: Work) -> None:
        """Do the work, and keep what comes of it until it is released."""
        # No task of a group: its error is the attempt's outcome.
        holding = asyncio.create_task(self._hold(work), name=f"chunk-{self.task.index}")
        try:
            ends: list[asyncio.Future[Any]] = [holding, self.released]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not self.outcome.done():
                holding.cancel()
            await asyncio.wait([holding])
            self._settle(holding)
            await asyncio.wait([self.released])
        finally:
            holding.cancel()
            await asyncio.wait([holding])
            self._settle(holding)
            self._log_unheard()
            for timer in (self._fuse, self._overdue):
                _replaced(timer, None, self._stop_abandoned)

    async def _hold(self, work: Work) -> None:
        async with work(self._hear) as answer:
            self.outcome.set_result(answer)
            await asyncio.shield(self.released)
            if caller := self._caller:  # who may be reading the file, and is about to leave
                await caller.left.wait()

    def _hear(self, event: ChunkEvent) -> None:
        if isinstance(event, FramesDone):
            self.frames_done = event.done
        elif isinstance(event, Filmed):
            self.is_filmed = True
        self.outbox.put(event)

    def _settle(self, holding: asyncio.Task[None]) -> None:
        """The work has ended, and is gone: if it gave no answer, its error is the outcome."""
        failure = None if holding.cancelled() else holding.exception()
        if not self.outcome.done():
            why = self.released.result() if self.released.done() else None
            shut_down = WorkerBusyError("the worker shuts down", reason=DRAINING)
            self.outcome.set_exception(failure or why or shut_down)
        elif failure is not None and failure is not self.outcome.exception():
            log.error("attempt not cleaned up", exc_info=failure, extra=fields_of(self.task))

    def _log_unheard(self) -> None:
        """Whoever hears a failure logs it; here are those that nobody heard."""
        failure = self.outcome.exception()  # looked at, in any case
        why = self.released.result() if self.released.done() else None
        if failure and why and failure is not why:
            log.warning("attempt failed unheard", exc_info=failure, extra=fields_of(self.task))

    def _wait_for_caller(self) -> None:
        if self.draining and not self.is_finished:
            self.stop(WorkerBusyError("the worker shuts down", reason=DRAINING))
        else:
            self._fuse = _replaced(self._fuse, self._detach_s, self._stop_abandoned)

    def _stop_abandoned(self) -> None:
        why = f"nobody took anything of it for {self._detach_s:g} s"
        self.stop(ChunkAbortedError(why, reason=ABANDONED))

    def _stop_overdue(self) -> None:
        self.stop(ChunkAbortedError("its job's time is over", reason=JOB_OVERDUE))


def _replaced(
    timer: asyncio.TimerHandle | None, seconds: float | None, then: Callable[[], None]
) -> asyncio.TimerHandle | None:
    if timer:
        timer.cancel()
    return None if seconds is None else asyncio.get_running_loop().call_later(seconds, then)


def fields_of(task: ChunkTask) -> dict[str, object]:
    """Which attempt it is, for logs."""
    return {
        "job_id": task.job_id,
        "chunk": task.index,
        "term": task.term,
        "attempt": task.attempt,
    }
