"""Attempts: what a worker runs or keeps now, in how many slots, and beside them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from executors.errors import (
    AttemptNotFoundError,
    ChunkAbortedError,
    WorkerBusyError,
)
from executors.status import ABORTED, DRAINING, SLOTS_FULL, SUPERSEDED
from executors.tasks import task_group

from .attempt import DETACH_S, Attempt
from .terms import Terms

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from executors.base import ChunkTask

    from .attempt import Work

# An attempt that is stopped is gone within a second; a hung one must not keep the process.
STOP_TIMEOUT_S: Final = 5.0


class Attempts:
    """The attempts that run, or whose outcome waits for a caller.

    One has a slot until its chunk is filmed. There are never more than two to a slot, so that what
    is encoded or kept for callers beside the slots has a bound.
    """

    def __init__(self, slots: int, owner: asyncio.TaskGroup, *, detach_s: float = DETACH_S) -> None:
        self.slots = slots
        self.draining = False
        self._owner = owner
        self._detach_s = detach_s
        self._terms = Terms()
        self._running: dict[tuple[str, int], Attempt] = {}

    @property
    def running(self) -> list[Attempt]:
        return list(self._running.values())

    @property
    def free_slots(self) -> int:
        """How many attempts would be taken now."""
        if self.draining:
            return 0
        in_slots = sum(attempt.holds_slot for attempt in self._running.values())
        return min(self.slots - in_slots, 2 * self.slots - len(self._running))

    async def begin(self, task: ChunkTask, work: Work) -> Attempt:
        """Begin the work of an attempt, in a slot.

        A newer attempt of a chunk that is here ends the older one and takes its place.

        Raises:
            StaleTermError: a later coordinator has asked for something of the job.
            ChunkAbortedError: a newer attempt of the chunk is here.
            WorkerBusyError: no slot is free, too many are not done, or the worker drains.

        """
        self.check_term(task.job_id, task.term)
        key = (task.job_id, task.index)
        while older := self._running.get(key):  # of several that wait here, one was quicker
            if older.token >= (task.term, task.attempt):
                raise ChunkAbortedError(
                    f"attempt {older.task.attempt} of chunk {task.index} is here already: take it "
                    "up by AttachChunk, or send a higher attempt",
                    reason=SUPERSEDED,
                )
            older.stop(
                ChunkAbortedError(f"attempt {task.attempt} takes its place", reason=SUPERSEDED)
            )
            await older.ended.wait()
        self._refuse_when_full()
        attempt = self._running[key] = Attempt(task, detach_s=self._detach_s)
        self._owner.create_task(self._run(attempt, work), name=f"attempt-{task.index}")
        return attempt

    def find(self, job_id: str, index: int, token: tuple[int, int]) -> Attempt:
        """The attempt with this token, whether it runs or has finished.

        Raises:
            AttemptNotFoundError: it is not here.

        """
        attempt = self._running.get((job_id, index))
        if attempt is None or attempt.token != token:
            term, number = token
            raise AttemptNotFoundError(
                f"attempt {number} (term {term}) of chunk {index} of job {job_id} is not here"
            )
        return attempt

    def check_term(self, job_id: str, term: int) -> None:
        """Remember a caller's term.

        Raises:
            StaleTermError: a later coordinator has asked for something of the job.

        """
        self._terms.check(job_id, term)

    async def end_job(self, job_id: str) -> None:
        """Stop what runs or is kept of a job; it is gone when this returns."""
        ours = [attempt for attempt in self.running if attempt.task.job_id == job_id]
        for attempt in ours:
            attempt.stop(ChunkAbortedError("its job has ended", reason=ABORTED))
        await _ended(ours, STOP_TIMEOUT_S)

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, wait for what runs, and hand back what takes longer.

        What runs without a caller is not waited for, and what has finished is kept for one.
        """
        self.draining = True
        for attempt in self.running:
            attempt.drain()
        await _ended(self.running, timeout_s)
        self.stop_all()
        await _ended(self.running, STOP_TIMEOUT_S)

    def stop_all(self) -> None:
        for attempt in self.running:
            attempt.stop(WorkerBusyError("the worker shuts down", reason=DRAINING))

    async def _run(self, attempt: Attempt, work: Work) -> None:
        try:
            await attempt.run(work)
        finally:
            del self._running[attempt.task.job_id, attempt.task.index]
            attempt.ended.set()

    def _refuse_when_full(self) -> None:
        if self.draining:
            raise WorkerBusyError("the worker drains: it takes nothing new", reason=DRAINING)
        if self.free_slots <= 0:
            filmed = sum(not attempt.holds_slot for attempt in self._running.values())
            beside = f", and {filmed} chunks are encoded or wait beside them" if filmed else ""
            raise WorkerBusyError(f"all {self.slots} slots are taken{beside}", reason=SLOTS_FULL)


@asynccontextmanager
async def open_attempts(slots: int, *, detach_s: float = DETACH_S) -> AsyncGenerator[Attempts]:
    """Attempts that can run while the block does; those that still do when it ends are stopped."""
    async with task_group() as owner:
        attempts = Attempts(slots, owner, detach_s=detach_s)
        try:
            yield attempts
        finally:
            attempts.stop_all()


async def _ended(attempts: Collection[Attempt], timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            for attempt in attempts:
                await attempt.ended.wait()
