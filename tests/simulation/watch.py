"""Watch: what must never happen, looked at in every step of a run.

Each rule has a name and a sentence in RULES; whatever breaks one ends the run.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from coordinator.job import (
    ChunkMoved,
    Job,
    JobEvent,
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

from .loop import Process, SimulationError, VirtualLoop
from .machine import PAGE_ERROR, chunk_content

if TYPE_CHECKING:
    from coordinator.planner import Plan

    from .fake_worker import Line
    from .machine import Machine
    from .memory_store import Disk
    from .network import Network
    from .runner import Cupboard
    from .users import User
    from .world import World

RULES: Final = {
    "one-result": "A chunk has one accepted result, and its token is one that was still wanted.",
    "slots": "No worker has more calls of a coordinator than slots it has told, and none begins "
    "on one that has said it drains.",
    "no-dispatch-after-end": "Once a job's end is kept, nothing of it begins.",
    "intent": "That a job is to end is kept before anything of it is stopped.",
    "paused": "While a job is kept as paused, nothing of it begins.",
    "final-is-final": "A job that has ended never changes, and its first cause stays.",
    "fair-failure": "A job fails only for a cause that was there: interruptions cost no attempts.",
    "sequence": "Events of a job have no gap and no repeat, for a watcher who resumes, too.",
    "progress": "Progress never goes back, but where a job is queued again, which says so.",
    "output": "A video is its chunks in order, the same bytes as of a quiet farm.",
    "accounts": "What is kept is what is referred to: no chunk of an ended job stays.",
    "kept": "What was acknowledged is there after any restart, and is not done again.",
    "tokens": "No two attempts of a chunk have one token; later ones have higher ones.",
    "ends": "When the faults are over, every job ends in a time that its size allows.",
    "fairness": "Users with equal shares get equal work.",
    "stops": "When a cancel has returned, nothing of the job is running in a call.",
    "clean": "In the end no task, call, attempt or half-made file is left.",
}


# What may be the chunk's fault, and what is not: said here once more, for the code may be wrong.
_FAILURES: Final = (
    ChunkStalledError,
    RenderCrashedError,
    ChunkDamagedError,
    WorkerOutOfMemoryError,
)
_INTERRUPTIONS: Final = (WorkerLostError, AttemptNotFoundError)


class RuleBrokenError(SimulationError):
    """A rule was broken."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what} ({RULES[rule]})")
        self.rule = rule


Place = tuple[int, str]  # a process, an address


@dataclass(eq=False, slots=True)
class ChunkAccount:
    """What was seen of a chunk."""

    tokens: set[Token] = field(default_factory=set)
    last_told: Token | None = None
    kept: Token | None = None
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
        self.told: dict[Place, WorkerReport] = {}
        self.open: Counter[Place] = Counter()
        self.messages = Counter[str]()
        self.network: Network | None = None
        self.disk: Disk | None = None
        self.cupboard: Cupboard | None = None
        self.users: Sequence[User] = ()
        self.fingerprint = ""
        self.cancels: set[str] = set()  # jobs that a user has tried to cancel
        self.paused: set[str] = set()
        self.begun: set[tuple[str, int]] = set()  # jobs, and by which process
        self.aborting: dict[str, StateChanged] = {}

    def look_at(self, network: Network, disk: Disk, cupboard: Cupboard, world: World) -> None:
        self.network, self.disk, self.cupboard = network, disk, cupboard
        self.fingerprint = world.machines[0].fingerprint

    @property
    def trace(self) -> str:
        """A digest of all that happened, and when."""
        return self._hash.hexdigest()

    def note(self, what: str) -> None:
        now_s = self._loop.time()
        self.timeline.append((now_s, what))
        self._hash.update(f"{now_s:.9f} {what}\n".encode())

    def broken(self, rule: str, what: str) -> None:
        self.note(f"BROKEN {rule}: {what}")
        self._loop.fail(RuleBrokenError(rule, what))

    # -- workers ----------------------------------------------------------------------------------

    def machine_started(self, machine: Machine) -> None:
        spec = machine.spec
        self.note(f"{spec.address} is up: {spec.slots} slots, {spec.fingerprint}")

    def machine_ended(self, machine: Machine) -> None:
        self.note(f"{machine.spec.address} is gone")

    def reported(self, line: Line, report: WorkerReport) -> None:
        self.messages["ask"] += 1
        self.told[(id(line.process), line.address)] = report

    def started(self, line: Line, task: ChunkTask) -> None:
        token = Token(task.term, task.attempt)
        self.messages["render"] += 1
        self.note(f"{_name(task)} {token.term}.{token.attempt} → {line.address}")
        account = self._account(task)
        if token in account.tokens:
            self.broken("tokens", f"{_name(task)} was begun twice as {token}")
        account.tokens.add(token)
        self._opened(line, task, account)
        self.begun.add((task.job_id, id(line.process)))
        if self._leads(line.process) and task.job_id in self.paused:
            self.broken("paused", f"{_name(task)} begins, and its job is paused")
        report = self.told.get((id(line.process), line.address))
        if report is not None and report.is_draining:
            self.broken("slots", f"{_name(task)} begins on {line.address}, which drains")

    def attached(self, line: Line, task: ChunkTask) -> None:
        self.messages["attach"] += 1
        self.note(f"{_name(task)} {task.term}.{task.attempt} ⇢ {line.address} (attach)")
        self._opened(line, task, self._account(task))

    def ended(self, line: Line, task: ChunkTask, error: BaseException | None) -> None:
        place, token = (id(line.process), line.address), Token(task.term, task.attempt)
        account = self._account(task)
        if (place, token) in account.open:
            account.open.remove((place, token))
            self.open[place] -= 1
        how = "done" if error is None else f"{type(error).__name__} {error}"
        self.note(f"{_name(task)} {token.term}.{token.attempt} ← {line.address}: {how}")
        account.failures += isinstance(error, _FAILURES)
        account.interruptions += isinstance(error, _INTERRUPTIONS)

    def _opened(self, line: Line, task: ChunkTask, account: ChunkAccount) -> None:
        place = (id(line.process), line.address)
        self.open[place] += 1
        account.open.add((place, Token(task.term, task.attempt)))
        report = self.told.get(place)
        if report is None:
            self.broken("slots", f"{_name(task)} goes to {line.address}, which has told no slots")
        elif self.open[place] > report.slots:
            told = f"{self.open[place]} calls for {report.slots} slots"
            self.broken("slots", f"{line.address} has {told}")
        if self._leads(line.process):
            self._check_begin(task, account)

    def _check_begin(self, task: ChunkTask, account: ChunkAccount) -> None:
        end = self.first_end.get(task.job_id) or self.aborting.get(task.job_id)
        if end is not None:
            self.broken("no-dispatch-after-end", f"{_name(task)} begins, its job is {end.state}")
        if account.kept is not None:
            self.broken("kept", f"{_name(task)} begins again, and was finished as {account.kept}")

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
                case _:
                    pass

    def _moved(self, job: Job, moved: StateChanged) -> None:
        cause = f" ({moved.error.reason}: {moved.error.message})" if moved.error else ""
        self.note(f"event {job.id} is {moved.state}{cause}")
        if (end := self.first_end.get(job.id)) is not None:
            self.broken("final-is-final", f"job {job.id} was {end.state}, and is {moved.state}")
        if moved.state is JobState.QUEUED:
            self.progress[job.id] = 0
        (self.paused.add if moved.state is JobState.PAUSED else self.paused.discard)(job.id)
        if (before := self.aborting.get(job.id)) is not None and before.error != moved.error:
            self.broken("final-is-final", f"{job.id} aborts for {before.error}, not {moved.error}")
        if moved.state is JobState.ABORTING:
            self.aborting[job.id] = moved
        if moved.state.is_final:
            self.first_end[job.id] = moved
            self._judge(job, moved)

    def _judge(self, job: Job, end: StateChanged) -> None:
        """Whether a job may have ended so."""
        assert self.disk is not None
        was_begun = (job.id, id(self.disk.leader)) in self.begun
        if end.state is JobState.CANCELLED and was_begun and job.id not in self.aborting:
            self.broken("intent", f"{job.id} was begun, and is cancelled without a word before")
        is_poisoned = "throw" in job.spec.settings.props_json
        reason = end.error.reason if end.error else ""
        match end.state:
            case JobState.SUCCEEDED if is_poisoned:
                self.broken("fair-failure", f"{job.id} has succeeded, and its page throws")
            case JobState.CANCELLED if job.id not in self.cancels:
                self.broken("fair-failure", f"nobody has cancelled {job.id}")
            case JobState.FAILED if reason == PAGE_ERROR:
                if not is_poisoned:
                    self.broken("fair-failure", f"the page of {job.id} does not throw")
            case JobState.FAILED if not self._is_spent(job.id):
                told = end.error.message if end.error else ""
                self.broken("fair-failure", f"{job.id} failed ({reason}: {told}), and may go on")
            case _:
                pass

    def _is_spent(self, job_id: str) -> bool:
        """Whether a chunk of the job has failed as often as it may."""
        budget = Budget()
        accounts = [account for (of, _), account in self.chunks.items() if of == job_id]
        return any(
            account.failures >= budget.attempts or account.interruptions >= budget.interruptions
            for account in accounts
        )

    # -- chunks -----------------------------------------------------------------------------------

    def kept(self, process: Process, task: ChunkTask, result: ChunkResult) -> None:
        account = self._account(task)
        self.note(f"{_name(task)} is kept: attempt {result.attempt} of {result.worker}")
        if not self._leads(process):
            return  # its successor has not seen the note, and renders the chunk again
        if account.kept is not None:
            self.broken("one-result", f"{_name(task)} is kept again, after {account.kept}")
        account.kept = Token(0, result.attempt)

    def accepted(self, process: Process, job_id: str, index: int) -> None:
        """An attempt's file becomes the chunk's."""
        account = self.chunks[(job_id, index)]
        if id(process) in account.accepted_by:  # none is verified in vain here, nor is a seam torn
            self.broken("one-result", f"another result of {job_id}/{index} is accepted")
        account.accepted_by.add(id(process))

    def dropped(self, process: Process, task: ChunkTask) -> None:
        account = self._account(task)
        if account.kept is not None and self._leads(process):  # all engines here are alike
            self.broken("kept", f"{_name(task)} was finished, and is to be rendered again")
        account.kept = None

    # -- jobs and their ends -----------------------------------------------------------------------

    def assembled(self, plan: Plan, video: str) -> None:
        expected = "".join(chunk_content(task, self.fingerprint) for task in plan.tasks)
        self.note(f"{plan.job_id} is assembled")
        if video != expected:
            self.broken("output", f"the video of {plan.job_id} is not what a quiet farm makes")

    def cancelled(self, process: Process, job_id: str) -> None:
        """A cancel has returned."""
        assert self.network is not None
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
        waiting = [user.job_id or user.plan.user for user in self.users if not user.is_over]
        self.broken("ends", f"the storm is long over, and these have not ended: {waiting}")

    def check_rest(self) -> None:
        """Every job has ended, and some time has passed."""
        assert self.network is not None
        assert self.disk is not None
        assert self.cupboard is not None
        for machine in self.network.machines:
            for attempt in machine.attempts:
                left = f"{_name(attempt.task)} is {attempt.stage} on {machine.spec.address}"
                self.broken("clean", f"{left}, and its job has ended")
        for path in self.cupboard.files:
            self.broken("accounts", f"{path} is kept, and its job has ended")
        for user in self.users:
            kept = self.disk.records[user.job_id].events
            if user.seen != kept:
                told = f"{user.job_id}: {len(user.seen)} events were seen, {len(kept)} are kept"
                self.broken("kept", told)
        for job_id, end in self.first_end.items():
            if end.state is JobState.SUCCEEDED and job_id not in self.cupboard.outputs:
                self.broken("accounts", f"{job_id} has succeeded, and has no video")

    def check_left(self, process: Process) -> None:
        """A coordinator has ended as it was told to."""
        names = ", ".join(task.get_name() for task in process.tasks if not task.done())
        if names:
            self.broken("clean", f"{process.name} has ended, and left tasks: {names}")

    def check_end(self, processes: Iterable[Process]) -> None:
        """The last coordinator has ended."""
        left = {place: calls for place, calls in self.open.items() if calls}
        living = {id(process) for process in processes if not process.is_dead}
        for place, calls in left.items():
            if place[0] in living:
                self.broken("clean", f"{calls} calls to {place[1]} are open")

    def _account(self, task: ChunkTask) -> ChunkAccount:
        return self.chunks.setdefault((task.job_id, task.index), ChunkAccount())


def _name(task: ChunkTask) -> str:
    return f"{task.job_id}/{task.index}"
