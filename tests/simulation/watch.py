"""Watch: what must never happen, looked at in every step of a run.

Whatever breaks one of the rules (`rules.py`) ends the run.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from coordinator import queue
from coordinator.job import (
    ChunkMoved,
    Job,
    JobError,
    JobEvent,
    JobHeld,
    JobState,
    ProgressMade,
    StateChanged,
)
from executors.base import ChunkResult, ChunkTask
from executors.errors import (
    AttemptNotFoundError,
    ChunkDamagedError,
    ChunkStalledError,
    RenderCrashedError,
    WorkerLostError,
    WorkerOutOfMemoryError,
)
from executors.retry import Budget
from executors.worker_port import Token, WorkerReport

from . import machine
from .loop import Process, VirtualLoop
from .machine import ENGINES, Machine, chunk_content
from .places import Key as Place
from .places import Places
from .rules import RuleBrokenError

if TYPE_CHECKING:
    from coordinator.planner import Plan

    from .fake_worker import Line
    from .memory_store import Disk
    from .network import Network
    from .plans import World
    from .runner import Cupboard
    from .users import User

# What may be the chunk's fault, and what is not: said here once more, for the code may be wrong.
_FAILURES: Final = (
    ChunkStalledError,
    RenderCrashedError,
    ChunkDamagedError,
    WorkerOutOfMemoryError,
)
_INTERRUPTIONS: Final = (WorkerLostError, AttemptNotFoundError)


@dataclass(eq=False, slots=True)
class ChunkAccount:
    """What was seen of a chunk."""

    tokens: set[Token] = field(default_factory=set)
    last_told: Token | None = None
    kept: Token | None = None
    engine: str = ""  # of what is kept
    engines: set[str] = field(default_factory=set)  # of all that was ever kept
    accepted_by: set[int] = field(default_factory=set)  # processes
    failures: int = 0
    interruptions: int = 0
    open: set[tuple[Place, Token]] = field(default_factory=set)


class Watch:
    """Hears of everything, changes nothing, and ends the run at the first broken rule."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._hash = hashlib.sha256()
        self.timeline: list[tuple[float, str]] = []
        self.jobs: dict[str, Job] = {}
        self.first_end: dict[str, StateChanged] = {}
        self.progress: dict[str, int] = {}
        self.chunks: dict[tuple[str, int], ChunkAccount] = {}
        self.places = Places()
        self.messages = Counter[str]()
        self.network: Network | None = None
        self.disk: Disk | None = None
        self.cupboard: Cupboard | None = None
        self.users: Sequence[User] = ()
        self.keep_s: float | None = None
        self.is_calm = False
        self.cancels: set[str] = set()  # jobs that a user has tried to cancel
        self.deletes: set[str] = set()
        self.gone: set[str] = set()  # jobs that were deleted
        self.late_since_s: dict[str, float] = {}
        self.last_state: dict[str, JobState] = {}
        self.ended_s: dict[str, float] = {}
        self.paused: set[str] = set()
        self.begun: set[tuple[str, int]] = set()  # jobs, and by which process
        self.moved: set[tuple[str, int, str]] = set()  # and to which engine
        self.aborting: dict[str, StateChanged] = {}

    def look_at(self, network: Network, disk: Disk, cupboard: Cupboard, world: World) -> None:
        self.network, self.disk, self.cupboard = network, disk, cupboard
        self.keep_s = world.keep_s

    @property
    def trace(self) -> str:
        """A digest of all that happened, and when."""
        return self._hash.hexdigest()

    @property
    def now_s(self) -> float:
        return self._loop.time()

    def note(self, what: str) -> None:
        now_s = self._loop.time()
        self.timeline.append((now_s, what))
        self._hash.update(f"{now_s:.9f} {what}\n".encode())

    def broken(self, rule: str, what: str) -> None:
        self.note(f"BROKEN {rule}: {what}")
        self._loop.fail(RuleBrokenError(rule, what))

    # -- workers ----------------------------------------------------------------------------------

    def machine_started(self, started: Machine) -> None:
        spec = started.spec
        self.note(f"{spec.address} is up: {spec.slots} slots, {spec.fingerprint}")

    def machine_ended(self, ended: Machine) -> None:
        self.note(f"{ended.spec.address} is gone")

    def reported(self, line: Line, report: WorkerReport, *, is_listed: bool) -> None:
        self.messages["ask"] += 1
        self.places.reported(line, report, self._loop.time(), is_listed=is_listed)

    def silent(self, line: Line) -> None:
        self.places.of(line).forget()

    def started(self, line: Line, task: ChunkTask) -> None:
        token = Token(task.term, task.attempt)
        self.messages["render"] += 1
        self.note(f"{name_of(task)} {token.term}.{token.attempt} → {line.address}")
        account = self._account(task)
        if token in account.tokens:
            self.broken("tokens", f"{name_of(task)} was begun twice as {token}")
        account.tokens.add(token)
        self._opened(line, task, account)
        end = self.aborting.get(task.job_id)  # what runs already may be taken up, to be stopped
        if end is not None and self._leads(line.process):
            self.broken("no-dispatch-after-end", f"{name_of(task)} begins, its job is {end.state}")
        self.begun.add((task.job_id, id(line.process)))
        if self._leads(line.process) and task.job_id in self.paused:
            self.broken("paused", f"{name_of(task)} begins, and its job is paused")
        self._check_place(line, task)
        self._check_order(task)
        self._check_engine(line, task)

    def _check_place(self, line: Line, task: ChunkTask) -> None:
        place, began = self.places.of(line), f"{name_of(task)} begins on {line.address}"
        if place.report is not None and place.report.is_draining:
            self.broken("slots", f"{began}, which drains")
        if place.rests_until_s > self._loop.time():
            self.broken("slots", f"{began}, which is to rest until {place.rests_until_s:.1f}")
        if place.is_unfit:
            self.broken("slots", f"{began}, which cannot render")

    def _check_order(self, task: ChunkTask) -> None:
        job = self.jobs.get(task.job_id)  # none, where a worker is looked at by itself
        for other in job.spec.after if job else ():
            end = self.first_end.get(other)
            if end is None or end.state is not JobState.SUCCEEDED:
                told = end.state if end else "not over"
                self.broken("order", f"{name_of(task)} begins, and {other} is {told}")

    def _check_engine(self, line: Line, task: ChunkTask) -> None:
        """A job whose chunks are of one engine stays with it as long as it is there."""
        report = self.places.of(line).report
        kept = {each.engine for each in self._accounts(task.job_id) if each.kept is not None}
        if report is None or not kept or report.fingerprint in kept:
            return
        move = (task.job_id, id(line.process), report.fingerprint)
        if move in self.moved:
            return  # its own engine may have come back since
        for engine in sorted(kept):
            if there := self.places.serving(line.process, engine, self._loop.time()):
                told = f"{name_of(task)} begins with {report.fingerprint} on {line.address}"
                self.broken("engines", f"{told}, and {there} have {engine}, as its chunks")
        self.moved.add(move)

    def attached(self, line: Line, task: ChunkTask) -> None:
        self.messages["attach"] += 1
        self.note(f"{name_of(task)} {task.term}.{task.attempt} ⇢ {line.address} (attach)")
        self._opened(line, task, self._account(task))

    def filmed(self, line: Line, task: ChunkTask) -> None:
        """A coordinator hears that an attempt has no slot any more."""
        self.note(f"{name_of(task)} {task.term}.{task.attempt} is filmed on {line.address}")
        attempt = (task.job_id, task.index, Token(task.term, task.attempt))
        self.places.of(line).filmed.add(attempt)

    def ended(
        self, line: Line, task: ChunkTask, error: BaseException | None, *, is_heard: bool
    ) -> None:
        """A call has ended.

        Of one that was given up before, its coordinator hears no error (WorkerCall): that the
        worker is unfit, or has failed once more, is learned at the next attempt.
        """
        place, token = (id(line.process), line.address), Token(task.term, task.attempt)
        account = self._account(task)
        if (place, token) in account.open:
            account.open.remove((place, token))
            self.places.of(line).open -= 1
            self.places.of(line).filmed.discard((task.job_id, task.index, token))
        if is_heard:
            self.places.ended(line, error, self._loop.time())
        how = "done" if error is None else f"{type(error).__name__} {error}"
        self.note(f"{name_of(task)} {token.term}.{token.attempt} ← {line.address}: {how}")
        account.failures += isinstance(error, _FAILURES)
        account.interruptions += isinstance(error, _INTERRUPTIONS)

    def _opened(self, line: Line, task: ChunkTask, account: ChunkAccount) -> None:
        place, token = self.places.of(line), Token(task.term, task.attempt)
        place.open += 1
        key = (id(line.process), line.address)
        account.open.add((key, token))
        if place.has_told_filmed((task.job_id, task.index, token)):
            place.filmed.add((task.job_id, task.index, token))
        if place.report is None:
            self.broken("slots", f"{name_of(task)} goes to {line.address}, which has told no slots")
            return
        slots, filmed = place.report.slots, len(place.filmed)
        if place.open - filmed > slots or place.open > 2 * slots:
            told = f"{place.open} calls for {slots} slots, {filmed} of them for what is filmed"
            self.broken("slots", f"{line.address} has {told}")
        if self._leads(line.process):
            self._check_begin(task, account)

    def _check_begin(self, task: ChunkTask, account: ChunkAccount) -> None:
        end = self.first_end.get(task.job_id)
        if end is not None:
            self.broken("no-dispatch-after-end", f"{name_of(task)} begins, its job is {end.state}")
        if account.kept is not None:
            self.broken("kept", f"{name_of(task)} begins again, and was finished as {account.kept}")

    def _leads(self, process: Process) -> bool:
        """One that was followed, and does not know yet, is fenced: workers and store refuse it."""
        assert self.disk is not None
        return self.disk.leader is process

    # -- the store --------------------------------------------------------------------------------

    def job_added(self, job: Job) -> None:
        self.note(f"job {job.id} is kept")
        self.jobs[job.id] = job

    def appended(self, job: Job, rows: Sequence[JobEvent]) -> None:
        for row in rows:
            match row.event:
                case StateChanged() as moved:
                    self._moved(job, moved)
                case ProgressMade(done, total):
                    if done < self.progress.get(job.id, 0) or done > total:
                        was = self.progress.get(job.id, 0)
                        self.broken("progress", f"job {job.id} was at {was}, and is at {done}")
                    self.progress[job.id] = done
                case ChunkMoved(index=index, state=state, worker=worker, attempt=attempt):
                    self.note(f"event {job.id}/{index} {state} {attempt} {worker}")
                case JobHeld():
                    self.note(f"event {job.id} is held")
                    self._begin_anew(job.id)
                case _:
                    pass

    def _moved(self, job: Job, moved: StateChanged) -> None:
        cause = f" ({moved.error.reason}: {moved.error.message})" if moved.error else ""
        self.note(f"event {job.id} is {moved.state}{cause}")
        if (end := self.first_end.get(job.id)) is not None:
            self.broken("final-is-final", f"job {job.id} was {end.state}, and is {moved.state}")
        if self.last_state.get(job.id) is moved.state and not moved.state.is_final:
            self.broken("sequence", f"that {job.id} is {moved.state} was told before")
        self.last_state[job.id] = moved.state
        if moved.state is JobState.QUEUED:
            self.progress[job.id] = 0
            self._begin_anew(job.id)
        (self.paused.add if moved.state is JobState.PAUSED else self.paused.discard)(job.id)
        if (before := self.aborting.get(job.id)) is not None and before.error != moved.error:
            self.broken("final-is-final", f"{job.id} aborts for {before.error}, not {moved.error}")
        if moved.state is JobState.ABORTING:
            self.aborting[job.id] = moved
        if moved.state.is_final:
            self.first_end[job.id] = moved
            self.ended_s[job.id] = self._loop.time()
            self._judge(job, moved)

    def _begin_anew(self, job_id: str) -> None:
        """What found no place is to come once more."""
        assert self.disk is not None
        self.begun.discard((job_id, id(self.disk.leader)))
        for account in self._accounts(job_id):
            if account.kept is None:
                account.accepted_by.clear()

    def _judge(self, job: Job, end: StateChanged) -> None:
        """Whether a job may have ended so."""
        assert self.disk is not None
        was_begun = (job.id, id(self.disk.leader)) in self.begun
        if end.state is JobState.CANCELLED and was_begun and job.id not in self.aborting:
            self.broken("intent", f"{job.id} was begun, and is cancelled without a word before")
        is_poisoned = "throw" in job.spec.settings.props_json
        match end.state:
            case JobState.SUCCEEDED if is_poisoned:
                self.broken("fair-failure", f"{job.id} has succeeded, and its page throws")
            case JobState.CANCELLED if job.id not in self.cancels:
                self.broken("fair-failure", f"nobody has cancelled {job.id}")
            case JobState.FAILED if end.error is not None:
                self._judge_failure(job, end.error, is_poisoned=is_poisoned)
            case _:
                pass

    def _judge_failure(self, job: Job, error: JobError, *, is_poisoned: bool) -> None:
        match error.reason:
            case machine.PAGE_ERROR:
                if not is_poisoned:
                    self.broken("fair-failure", f"the page of {job.id} does not throw")
            case queue.DEPENDENCY:
                self._check_unmet(job)
            case queue.DEADLINE_EXCEEDED:
                self._check_late(job)
            case _ if not self._is_spent(job.id):
                told = f"{error.reason}: {error.message}"
                self.broken("fair-failure", f"{job.id} failed ({told}), and may go on")
            case _:
                pass

    def _check_unmet(self, job: Job) -> None:
        ends = {other: self.first_end.get(other) for other in job.spec.after}
        is_unmet = any(end and end.state is not JobState.SUCCEEDED for end in ends.values())
        if not is_unmet and self.gone.isdisjoint(ends):
            self.broken("order", f"{job.id} failed for another, and all that it needs is well")

    def _check_late(self, job: Job) -> None:
        assert self.disk is not None
        if job.ends_at is None or self.disk.wall.highest() < job.ends_at:
            self.broken("deadline", f"{job.id} is late, and has time until {job.ends_at}")

    def _is_spent(self, job_id: str) -> bool:
        """Whether a chunk of the job has failed as often as it may."""
        budget = Budget()
        return any(
            account.failures >= budget.attempts or account.interruptions >= budget.interruptions
            for account in self._accounts(job_id)
        )

    def deleted(self, process: Process, job: Job) -> None:
        """A job is forgotten by the store."""
        assert self.disk is not None
        self.note(f"job {job.id} is deleted")
        self.gone.add(job.id)
        if not job.state.is_final:
            self.broken("word", f"{job.id} is {job.state}, and is deleted")
        for record in self.disk.records.values():
            if job.id in record.job.spec.after and not record.job.state.is_final:
                self.broken("word", f"{job.id} is deleted, and {record.job.id} comes after it")
        if job.id not in self.deletes and not self._is_of_age(process, job):
            self.broken("word", f"{job.id} is deleted, and nobody wanted that")

    def _is_of_age(self, process: Process, job: Job) -> bool:
        assert self.disk is not None
        if self.keep_s is None or job.ended_at is None:
            return False
        return self.disk.wall.highest() - job.ended_at >= timedelta(seconds=self.keep_s)

    # -- chunks -----------------------------------------------------------------------------------

    def kept(self, process: Process, task: ChunkTask, result: ChunkResult) -> None:
        account = self._account(task)
        self.note(f"{name_of(task)} is kept: attempt {result.attempt} of {result.worker}")
        if not self._leads(process):
            return  # its successor has not seen the note, and renders the chunk again
        if account.kept is not None:
            self.broken("one-result", f"{name_of(task)} is kept again, after {account.kept}")
        account.kept, account.engine = Token(0, result.attempt), result.fingerprint
        account.engines.add(result.fingerprint)

    def accepted(self, process: Process, job_id: str, index: int) -> None:
        """An attempt's file becomes the chunk's."""
        account = self.chunks[(job_id, index)]
        if id(process) in account.accepted_by:  # none is verified in vain here, nor is a seam torn
            self.broken("one-result", f"another result of {job_id}/{index} is accepted")
        account.accepted_by.add(id(process))

    def refused(self, task: ChunkTask) -> None:
        """An accepted file is not what was asked for: its worker's fault, and it may try again."""
        account = self._account(task)
        account.failures += 1
        account.accepted_by.clear()
        self.note(f"{name_of(task)} is not what was asked for")

    def dropped(self, process: Process, task: ChunkTask) -> None:
        account = self._account(task)
        account.accepted_by.clear()
        if not self._leads(process):
            return
        engines = set[str]().union(*(each.engines for each in self._accounts(task.job_id)))
        if account.kept is not None and engines == {account.engine}:
            self.broken("engines", f"{name_of(task)} was finished, and is to be rendered again")
        self.note(f"{name_of(task)} counts as finished no more")
        account.kept = None

    # -- jobs and their ends -----------------------------------------------------------------------

    def assembled(self, plan: Plan, video: str) -> None:
        videos = {"".join(chunk_content(task, each) for task in plan.tasks) for each in ENGINES}
        self.note(f"{plan.job_id} is assembled")
        if video not in videos:
            self.broken("output", f"the video of {plan.job_id} is not what a quiet farm makes")

    def cancelled(self, process: Process, job: Job) -> None:
        """A cancel has returned."""
        assert self.network is not None
        job_id = job.id
        if not job.state.is_final:
            self.broken("kept", f"a cancel was acknowledged of {job_id}, which is {job.state}")
        running = [
            f"{call.task.job_id}/{call.task.index} on {call.line.address}"
            for call in self.network.calls(process)
            if call.task.job_id == job_id
        ]
        if running:
            self.broken("stops", f"{job_id} is cancelled, and {', '.join(running)} goes on")

    def resuming(self, job_id: str) -> None:
        """A user is about to let a job go on."""
        self.paused.discard(job_id)

    def overdue(self) -> None:
        waiting = [user.job_id or user.plan.user for user in self.users if not user.over.is_set()]
        self.broken("ends", f"the storm is long over, and these have not ended: {waiting}")

    def check_left(self, process: Process) -> None:
        """A coordinator has ended as it was told to."""
        names = ", ".join(task.get_name() for task in process.tasks if not task.done())
        if names:
            self.broken("clean", f"{process.name} has ended, and left tasks: {names}")

    def _accounts(self, job_id: str) -> list[ChunkAccount]:
        return [account for (of, _), account in self.chunks.items() if of == job_id]

    def _account(self, task: ChunkTask) -> ChunkAccount:
        return self.chunks.setdefault((task.job_id, task.index), ChunkAccount())


def name_of(task: ChunkTask) -> str:
    return f"{task.job_id}/{task.index}"
