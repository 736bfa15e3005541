"""More mutations: deadlines, dependencies, engines, full disks, what is kept and who rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from coordinator import plan_run
from coordinator.holds import STORAGE_FULL, Holds
from coordinator.job import JobError, JobState
from coordinator.job_files import FolderJobFiles
from coordinator.job_run import JobRun, Verdict
from coordinator.plan_run import PlanRun
from coordinator.queue import JobQueue
from coordinator.queue_events import Command, JobAdded
from coordinator.retention import Retention
from coordinator.steady import SteadyTime
from executors.base import ChunkResult
from executors.errors import Retry, WorkerFullError
from executors.scheduling.chunk import Attempt, Chunk
from executors.scheduling.jobs import Job
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.worker import Worker
from executors.scheduling.workers import Workers

Patch = pytest.MonkeyPatch


def forget_deadlines(patch: Patch) -> None:
    added = JobAdded.of

    patch.setattr(JobAdded, "of", lambda job: replace(added(job), ends_at=None))


def count_time_by_the_clock(patch: Patch) -> None:
    """A clock that is set makes a job's time longer or shorter."""
    patch.setattr(SteadyTime, "now", lambda self: self._utc_now())
    patch.setattr(SteadyTime, "of", lambda _, moment: moment)


def begin_before_its_turn(patch: Patch) -> None:
    added = JobAdded.of

    patch.setattr(JobAdded, "of", lambda job: replace(added(job), after=()))


def begin_whatever_became_of_the_others(patch: Patch) -> None:
    end = JobQueue._end

    def ended_well(self: JobQueue, job_id: str, state: JobState | None) -> Iterator[Command]:
        del state
        return end(self, job_id, JobState.SUCCEEDED)

    patch.setattr(JobQueue, "_end", ended_well)


def mix_engines(patch: Patch) -> None:
    patch.setattr(plan_run, "_stale", lambda *_: [])
    patch.setattr(plan_run, "_check_alike", lambda _: None)


def forget_the_engine_of_what_is_finished(patch: Patch) -> None:
    patch.setattr(PlanRun, "_home", lambda self: self._engine)


def stay_with_an_engine_that_is_gone(patch: Patch) -> None:
    patch.setattr(Scheduler, "_move_if_left", lambda *_: None)


def give_a_token_twice(patch: Patch) -> None:
    """After a file that is refused, another attempt may have been begun already."""

    def next_attempt(self: PlanRun, row: ChunkResult) -> int:
        del self
        return row.attempt + 1

    patch.setattr(PlanRun, "_next_attempt", next_attempt)


def fail_on_a_full_disk(patch: Patch) -> None:
    decide = JobRun.decide

    def failing(self: JobRun, verdict: Verdict) -> bool:
        if verdict.stored:
            error = JobError(reason="STORAGE_FULL", message=str(verdict.stored))
            verdict = Verdict(JobState.FAILED, error)
        return decide(self, verdict)

    patch.setattr(JobRun, "decide", failing)


def never_see_that_there_is_room(patch: Patch) -> None:
    lift = Holds.lift

    def lifted(self: Holds, reason: str) -> None:
        if reason != STORAGE_FULL:
            lift(self, reason)

    patch.setattr(Holds, "lift", lifted)


def count_a_full_worker_as_a_failure(patch: Patch) -> None:
    patch.setattr(WorkerFullError, "retry", Retry.ATTEMPT)


def forget_what_is_young(patch: Patch) -> None:
    forget_old = Retention._forget_old

    async def forget(self: Retention, before: datetime) -> None:
        await forget_old(self, before + timedelta(days=9))

    patch.setattr(Retention, "_forget_old", forget)


def free_a_slot_when_it_is_filmed_and_again_at_the_end(patch: Patch) -> None:
    release = Workers.release

    def freeing(
        self: Workers, worker: Worker, chunk: Chunk, attempt: Attempt, *, is_lost: bool
    ) -> None:
        if attempt.is_filmed:
            worker.leased -= attempt.cost
        release(self, worker, chunk, attempt, is_lost=is_lost)

    patch.setattr(Workers, "release", freeing)


def send_as_many_as_are_filmed(patch: Patch) -> None:
    """What a worker has beside its slots has no bound."""

    def free(self: Worker) -> int:
        return self.slots - self.leased - self.elsewhere if self.is_serving else 0

    patch.setattr(Worker, "free", property(free))


def let_nobody_rest(patch: Patch) -> None:
    patch.setattr(Worker, "strike", lambda *_: False)


def send_to_those_who_cannot(patch: Patch) -> None:
    def retire(self: Workers, worker: Worker, why: str) -> Any:
        self.rest(worker, why, 0.0)

    patch.setattr(Workers, "retire", retire)


def name_videos_alike_in_each_term(patch: Patch) -> None:
    patch.setattr(FolderJobFiles, "term", 0)


def give_out_what_has_begun(patch: Patch) -> None:
    """Whoever goes on from the chunk before gets it, whether it waits still or not."""

    def take(self: Job, chunk: Chunk) -> None:
        del self
        chunk.is_waiting = False

    patch.setattr(Job, "take", take)
