"""Mutations: faults put into the production code, each of which the simulation has to find."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from coordinator.events import EventLog
from coordinator.job import Event, Job, JobError, JobEvent, JobState, Output
from coordinator.job_run import JobRun, Verdict
from coordinator.patient_store import PatientStore
from coordinator.queue_events import JobAdded
from coordinator.stores.base import StoreDownError
from executors.errors import Retry, WorkerBusyError, WorkerLostError
from executors.fleet import Fleet
from executors.scheduling import scheduler
from executors.scheduling.board import Board
from executors.scheduling.chunk import Attempt, Chunk
from executors.scheduling.jobs import Jobs
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import Accept, Succeeded, Ticked
from executors.scheduling.values import Event as SchedulerEvent
from executors.scheduling.worker import Worker
from executors.worker_port import Token

from .runner import SimChunkFiles

Patch = pytest.MonkeyPatch


def drop_the_token_check(patch: Patch) -> None:
    """What has lost goes on, and its result is taken like any other."""

    def succeeded(self: Scheduler, chunk: Chunk, token: Token) -> None:
        passed_s = self._board.now_s - chunk.attempts[token].began_s
        self._board.job(chunk).frame_s.append(passed_s / chunk.offer.frames)
        self._board.commands.append(Accept(chunk.offer.number, token))
        self._board.release(chunk, token)
        self._board.close(chunk, "done")

    patch.setattr(Scheduler, "_succeeded", succeeded)
    patch.setattr(Board, "stop", lambda *_: None)


def free_the_slot_before_the_kill(patch: Patch) -> None:
    stop = Board.stop

    def freeing(self: Board, chunk: Chunk, attempt: Attempt, why: str) -> None:
        stop(self, chunk, attempt, why)
        if worker := self.workers.get(attempt.worker):
            worker.leased -= attempt.slots
            self.workers.free.put(worker)
            self.jobs.hold(self.job(chunk), -attempt.slots)
        attempt.cost = 0

    patch.setattr(Board, "stop", freeing)


def count_a_drain_as_a_failure(patch: Patch) -> None:
    patch.setattr(WorkerBusyError, "retry", Retry.ATTEMPT)


def count_an_interruption_as_a_failure(patch: Patch) -> None:
    patch.setattr(WorkerLostError, "retry", Retry.ATTEMPT)


def requeue_on_a_late_end(patch: Patch) -> None:
    """An attempt that was stopped, for another one was faster, ends: the chunk waits again."""
    release = Board.release

    def requeueing(self: Board, chunk: Chunk, token: Token, *, is_lost: bool = False) -> None:
        if chunk.attempts[token].is_stopping:
            chunk.is_closed = chunk.is_withdrawn = False
            self.requeue(chunk)
        release(self, chunk, token, is_lost=is_lost)

    patch.setattr(Board, "release", requeueing)


def ignore_errors_of_the_store(patch: Patch) -> None:
    async def append(
        self: PatientStore, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        try:
            return await self._inner.append(job_id, events, output=output)
        except StoreDownError:
            return ()

    patch.setattr(PatientStore, "append", append)


def write_again_in_other_words(patch: Patch) -> None:
    """An error after the commit: what was kept is kept once more."""
    asked = PatientStore._asked

    async def append(
        self: PatientStore, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        async def anew() -> Sequence[JobEvent]:
            return await self._inner.append(
                job_id, [replace(event) for event in events], output=output
            )

        return await asked(self, anew)

    patch.setattr(PatientStore, "append", append)


def forget_request_ids(patch: Patch) -> None:
    async def add(self: PatientStore, job: Job, *, request_id: str) -> Job:
        del request_id
        return await self._asked(lambda: self._inner.add(job, request_id=""))

    patch.setattr(PatientStore, "add", add)


def stop_before_the_word_is_kept(patch: Patch) -> None:
    async def stop(self: JobRun, error: JobError | None) -> None:
        self.decide(Verdict(JobState.FAILED if error else JobState.CANCELLED, error))
        self.abort.set()
        await self.ended.wait()

    patch.setattr(JobRun, "stop", stop)


def one_slot_too_many(patch: Patch) -> None:
    free = Worker.free
    assert isinstance(free, property)
    count = free.fget
    assert count is not None

    def more(self: Worker) -> int:
        slots: int = count(self)
        return slots + 1 if self.is_serving else slots

    patch.setattr(Worker, "free", property(more))


def let_the_clock_die(patch: Patch) -> None:
    async def tick(self: Fleet) -> None:
        await asyncio.sleep(2.0)
        self.hear(Ticked())

    patch.setattr(Fleet, "tick", tick)


def miss_the_wake_up(patch: Patch) -> None:
    """Only what a chunk's end frees is given out; a worker that comes back stays idle."""
    dispatch = vars(scheduler)["dispatch"]
    step = Scheduler.step

    def deaf(self: Scheduler, event: SchedulerEvent, now_s: float) -> list[Any]:
        patch.setattr(
            scheduler, "dispatch", dispatch if isinstance(event, Succeeded) else lambda _: None
        )
        return step(self, event, now_s)

    patch.setattr(Scheduler, "step", deaf)


def resume_watchers_one_too_far(patch: Patch) -> None:
    watch = EventLog.watch

    def off_by_one(self: EventLog, job_id: str, *, after: int) -> AsyncGenerator[JobEvent]:
        return watch(self, job_id, after=after + 1 if after else 0)

    patch.setattr(EventLog, "watch", off_by_one)


def hedge_what_is_paused(patch: Patch) -> None:
    patch.setattr(Jobs, "may_run", lambda _self, _job: True)


def forget_who_leads(patch: Patch) -> None:
    """Tokens without a term: two coordinators give the same ones."""
    start = Board.start

    def without_term(self: Board, chunk: Chunk, worker: Worker) -> None:
        self._term = 1
        start(self, chunk, worker)

    patch.setattr(Board, "start", without_term)


def forget_what_is_paused(patch: Patch) -> None:
    added = JobAdded.of

    patch.setattr(JobAdded, "of", lambda job: replace(added(job), is_paused=False))


def forget_what_is_finished(patch: Patch) -> None:
    async def finished(self: SimChunkFiles, tasks: Sequence[Any]) -> dict[int, None]:
        return dict.fromkeys(task.index for task in tasks)

    patch.setattr(SimChunkFiles, "finished", finished)


def change_the_end_of_a_job(patch: Patch) -> None:
    """A job that is to end as cancelled ends as failed."""
    tell_end = JobRun.tell_end

    async def other(self: JobRun, verdict: Verdict) -> None:
        if verdict.state is JobState.CANCELLED:
            error = JobError(reason="INTERNAL", message="cancelled")
            verdict = replace(verdict, state=JobState.FAILED, error=error)
        await tell_end(self, verdict)

    patch.setattr(JobRun, "tell_end", other)
