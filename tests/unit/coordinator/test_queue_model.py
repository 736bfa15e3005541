"""The queue against a naive model, over whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coordinator.job import JobState
from coordinator.queue import JobQueue, Phase
from coordinator.queue_events import (
    Begin,
    Event,
    Fail,
    FarmFreed,
    FarmHeld,
    JobAdded,
    JobAssembling,
    JobEnded,
    JobPaused,
    JobResumed,
    JobReturned,
    JobStopping,
    Ticked,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOST_RUNNING = 2
ENDS = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass
class Model:
    """A job, as plainly as it can be said."""

    added: JobAdded
    age: int
    is_paused: bool
    waits_for: set[str]
    runs: bool = False
    assembles: bool = False
    stops: bool = False
    is_broken: bool = False

    @property
    def takes_room(self) -> bool:
        return self.runs and (self.stops or not self.is_paused)


class QueueAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.queue = JobQueue(most_running=MOST_RUNNING)
        self.now = NOON
        self.jobs: dict[str, Model] = {}
        self.ended: dict[str, JobState] = {}
        self.began: dict[str, int] = {}  # user → when
        self.is_held = False
        self.ages = self.beginnings = 0

    # -- what happens --

    @rule(
        user=st.sampled_from("xyz"),
        priority=st.sampled_from([0, 50, 100]),
        after=st.sets(st.integers(0, 30), max_size=2),
        limit_s=st.none() | st.integers(1, 40),
        is_paused=st.booleans(),
    )
    def add(
        self, user: str, priority: int, after: set[int], limit_s: int | None, is_paused: bool
    ) -> None:
        self.ages += 1
        job = JobAdded(
            job_id=f"j{self.ages}",
            user=user,
            priority=priority,
            after=tuple(f"j{age}" for age in sorted(after) if 0 < age < self.ages),
            ends_at=None if limit_s is None else self.now + timedelta(seconds=limit_s),
            is_paused=is_paused,
        )
        self.jobs[job.job_id] = Model(job, self.ages, is_paused, set(job.after))
        self.step(job)
        for other in job.after:
            if other in self.ended:
                self.tell_end(other, self.ended[other])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), kind=st.sampled_from([JobPaused, JobResumed, JobStopping]))
    def user_says(
        self, data: st.DataObject, kind: type[JobPaused | JobResumed | JobStopping]
    ) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        if not job.stops:
            match kind:
                case _ if kind is JobPaused:
                    job.is_paused |= not job.assembles
                case _ if kind is JobResumed:
                    job.is_paused = False
                case _:
                    job.stops = True
        self.step(kind(job.added.job_id))

    @precondition(lambda self: any(job.runs for job in self.jobs.values()))
    @rule(data=st.data(), state=st.sampled_from([*ENDS, JobState.ASSEMBLING, JobState.QUEUED]))
    def run_goes_on(self, data: st.DataObject, state: JobState) -> None:
        running = sorted(name for name, job in self.jobs.items() if job.runs)
        name = data.draw(st.sampled_from(running))
        job = self.jobs[name]
        if state in ENDS:
            self.end(name, state)
        elif state is JobState.ASSEMBLING:
            if not job.stops:
                job.assembles, job.is_paused = True, False
            self.step(JobAssembling(name))
        else:
            job.runs = job.assembles = False
            self.step(JobReturned(name))

    @precondition(lambda self: any(job.stops for job in self.jobs.values()))
    @rule(data=st.data())
    def stopped(self, data: st.DataObject) -> None:
        stopping = sorted(name for name, job in self.jobs.items() if job.stops)
        self.end(data.draw(st.sampled_from(stopping)), JobState.CANCELLED)

    @rule(is_held=st.booleans())
    def hold(self, is_held: bool) -> None:
        self.is_held = is_held
        self.step(FarmHeld() if is_held else FarmFreed())

    @rule(seconds=st.integers(1, 20))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.step(Ticked())

    # -- what must come of it --

    @invariant()
    def phases_are_the_models(self) -> None:
        for name, job in self.jobs.items():
            assert self.queue.phase(name) is self.phase(job), name
            assert self.queue.is_begun(name) is job.runs
        for phase in Phase:
            said = [job for job in self.jobs.values() if self.phase(job) is phase]
            assert self.queue.count(phase) == len(said)
        assert self.queue.queued == sum(not job.runs for job in self.jobs.values())

    def end(self, name: str, state: JobState) -> None:
        user = self.jobs.pop(name).added.user
        if all(job.added.user != user for job in self.jobs.values()):
            self.began.pop(user, None)  # who has no jobs here is forgotten
        self.ended[name] = state
        self.tell_end(name, state)

    def tell_end(self, name: str, state: JobState) -> None:
        for job in self.jobs.values():
            if name in job.waits_for:
                job.waits_for.remove(name)
                job.is_broken |= state is not JobState.SUCCEEDED
        self.step(JobEnded(name, state))

    def step(self, event: Event) -> None:
        commands = self.queue.step(event, self.now)

        failing = self.failing()
        for name in failing:
            self.jobs[name].stops = True
        beginning = list(self.beginning())
        assert {row.job_id for row in commands if isinstance(row, Fail)} == failing
        assert [row.job_id for row in commands if isinstance(row, Begin)] == beginning

    def failing(self) -> set[str]:
        return {
            name
            for name, job in self.jobs.items()
            if not job.stops
            and (job.is_broken or (job.added.ends_at is not None and job.added.ends_at <= self.now))
        }

    def beginning(self) -> list[str]:
        names: list[str] = []
        while name := self.next():
            job = self.jobs[name]
            job.runs = True
            self.beginnings += 1
            self.began[job.added.user] = self.beginnings
            names.append(name)
        return names

    def next(self) -> str | None:
        waiting = [job for job in self.jobs.values() if self.phase(job) is Phase.WAITING]
        if self.is_held or not waiting:
            return None
        first = min(waiting, key=self.order)
        rivals = (
            each
            for each in self.jobs.values()
            if each.takes_room and each.added.priority >= first.added.priority
        )
        has_one = any(
            each.takes_room and each.added.user == first.added.user for each in self.jobs.values()
        )
        limit = MOST_RUNNING if has_one else 2 * MOST_RUNNING
        return first.added.job_id if len(list(rivals)) < limit else None

    def order(self, job: Model) -> tuple[int, ...]:
        mine = [each for each in self.jobs.values() if each.added.user == job.added.user]
        line = [
            each.age
            for each in mine
            if self.phase(each) is Phase.WAITING and each.added.priority == job.added.priority
        ]
        running = sum(each.takes_room for each in mine)
        began = self.began.get(job.added.user, 0)
        return -job.added.priority, running, began, min(line), job.age

    def phase(self, job: Model) -> Phase:
        if job.stops:
            return Phase.STOPPING
        if job.is_paused:
            return Phase.PAUSED
        if job.runs:
            return Phase.RUNNING
        return Phase.BLOCKED if job.waits_for else Phase.WAITING


QueueAgainstModel.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
TestQueueAgainstModel = QueueAgainstModel.TestCase
