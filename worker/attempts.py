"""Attempts: what a worker runs now, in how many slots, and what ends it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from executors.errors import ChunkAbortedError, WorkerBusyError
from executors.status import DRAINING, SLOTS_FULL, SUPERSEDED

from .terms import Terms

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from executors.base import ChunkTask

# An attempt that is stopped is gone within a second; a hung one must not keep the process.
STOP_TIMEOUT_S: Final = 5.0


class Attempt:
    """An attempt that runs. `frames_done` is for those who ask."""

    def __init__(self, task: ChunkTask) -> None:
        self.task = task
        self.token = (task.term, task.attempt)
        self.frames_done = 0
        self.stopped: asyncio.Future[ChunkAbortedError | WorkerBusyError] = (
            asyncio.get_running_loop().create_future()
        )
        self.ended = asyncio.Event()

    def stop(self, why: ChunkAbortedError | WorkerBusyError) -> None:
        """End the attempt with this error; the first one counts."""
        if not self.stopped.done():
            self.stopped.set_result(why)


class Attempts:
    """The attempts that run, one to a slot."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.draining = False
        self._terms = Terms()
        self._running: dict[tuple[str, int], Attempt] = {}

    @property
    def running(self) -> list[Attempt]:
        return list(self._running.values())

    @property
    def free_slots(self) -> int:
        return 0 if self.draining else self.slots - len(self._running)

    @asynccontextmanager
    async def begin(self, task: ChunkTask) -> AsyncGenerator[Attempt]:
        """Hold a slot for an attempt while the block runs.

        A newer attempt of a chunk that runs here ends the older one and takes its place.

        Raises:
            StaleTermError: a later coordinator has asked for chunks of the job.
            ChunkAbortedError: a newer attempt of the chunk runs here.
            WorkerBusyError: no slot is free, or the worker drains.

        """
        self.check_term(task.job_id, task.term)
        key = (task.job_id, task.index)
        while older := self._running.get(key):  # of several that wait here, one was quicker
            if older.token >= (task.term, task.attempt):
                raise ChunkAbortedError(
                    f"attempt {older.task.attempt} of chunk {task.index} runs here already",
                    reason=SUPERSEDED,
                )
            older.stop(
                ChunkAbortedError(f"attempt {task.attempt} takes its place", reason=SUPERSEDED)
            )
            await older.ended.wait()
        self._refuse_when_full()
        attempt = self._running[key] = Attempt(task)
        try:
            yield attempt
        finally:
            del self._running[key]
            attempt.ended.set()

    def check_term(self, job_id: str, term: int) -> None:
        """Remember a caller's term.

        Raises:
            StaleTermError: a later coordinator has asked for something of the job.

        """
        self._terms.check(job_id, term)

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, wait for what runs, and hand back what takes longer."""
        self.draining = True
        await self._ended(timeout_s)
        for attempt in self.running:
            attempt.stop(WorkerBusyError("the worker shuts down", reason=DRAINING))
        await self._ended(STOP_TIMEOUT_S)

    async def _ended(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                for attempt in self.running:
                    await attempt.ended.wait()

    def _refuse_when_full(self) -> None:
        if self.draining:
            raise WorkerBusyError("the worker drains: it takes nothing new", reason=DRAINING)
        if len(self._running) >= self.slots:
            raise WorkerBusyError(f"all {self.slots} slots are taken", reason=SLOTS_FULL)
