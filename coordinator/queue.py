"""JobQueue: which jobs run, wait for others, are paused, or have no time left. Pure.

Whoever steps it carries its commands out: `coordinator.jobs`. The same events at the same times
give the same commands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

from .job import JobError, JobState
from .queue_events import (
    Begin,
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
from .turns import Place, Turns, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .queue_events import Command, Event

DEPENDENCY: Final = "DEPENDENCY"
DEADLINE_EXCEEDED: Final = "DEADLINE_EXCEEDED"
_FEW: Final = 64


class Phase(StrEnum):
    BLOCKED = "blocked"  # by jobs that it comes after
    WAITING = "waiting"  # for its turn
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(slots=True)
class _Entry:
    """A job that has not ended. `is_begun`: something of it runs, though it be paused."""

    added: JobAdded
    place: Place
    pending: set[str]
    phase: Phase
    is_begun: bool = False
    is_assembling: bool = False

    @property
    def takes_room(self) -> bool:
        return self.is_begun and self.phase is not Phase.PAUSED


class JobQueue:
    """Decides what becomes of the jobs that have not ended.

    At most `most_running` of them run at once, by turns, and only those of the same or a higher
    priority count: a job never waits for one of a lower priority to end, and the executor gives its
    chunks the slots that come free. A user of whom nothing runs does not wait for the long jobs of
    others, either, until there are twice as many. One that is paused takes no room, and goes on at
    once.
    """

    def __init__(self, *, most_running: int) -> None:
        self._most_running = most_running
        self._entries: dict[str, _Entry] = {}
        self._turns = Turns()
        self._running: dict[str, _Entry] = {}  # those that take room
        self._users: dict[str, User] = {}
        self._dependants: dict[str, dict[str, None]] = {}  # a job → those to come after it
        self._ends: list[tuple[datetime, int, str]] = []  # a heap
        self._counts: Counter[Phase] = Counter()
        self._added = 0
        self._begun = 0
        self._is_held = False

    def step(self, event: Event, now: datetime) -> list[Command]:
        """Take an event in, and say what is to be done now."""
        return [*self._taken(event), *self._expired(now), *self._beginnings()]

    def phase(self, job_id: str) -> Phase | None:
        """Where a job is; None for one that is not known here, or has ended."""
        entry = self._entries.get(job_id)
        return entry.phase if entry else None

    def is_begun(self, job_id: str) -> bool:
        entry = self._entries.get(job_id)
        return entry is not None and entry.is_begun

    def count(self, phase: Phase) -> int:
        return self._counts[phase]

    @property
    def queued(self) -> int:
        """How many jobs have not begun."""
        return sum(user.queued for user in self._users.values())

    def queued_by(self, user: str) -> int:
        return self._users[user].queued if user in self._users else 0

    def dependants(self, job_id: str) -> Sequence[str]:
        """The jobs that have not ended and are to come after this one, which may have ended."""
        return tuple(self._dependants.get(job_id, ()))

    def ends_at(self, job_id: str) -> datetime | None:
        """When the time of a job is over, if it has a limit and has not ended."""
        entry = self._entries.get(job_id)
        return entry.added.ends_at if entry else None

    @property
    def next_end(self) -> datetime | None:
        """When to step again at the latest: the next time limit may be over."""
        return self._ends[0][0] if self._ends else None

    def _taken(self, event: Event) -> Iterator[Command]:
        match event:
            case JobAdded():
                self._add(event)
            case JobEnded(job_id, state):
                yield from self._end(job_id, state)
            case FarmHeld():
                self._is_held = True
            case FarmFreed():
                self._is_held = False
            case Ticked():
                pass
            case _ if entry := self._entries.get(event.job_id):
                self._change(entry, event)
            case _:  # it has ended meanwhile
                pass

    def _add(self, job: JobAdded) -> None:
        self._added += 1
        place = Place(number=self._added, job_id=job.job_id, user=job.user, priority=job.priority)
        phase = Phase.BLOCKED if job.after else Phase.WAITING
        entry = _Entry(job, place, set(job.after), Phase.PAUSED if job.is_paused else phase)
        self._entries[job.job_id] = entry
        self._users.setdefault(job.user, User()).jobs += 1
        for other in job.after:
            self._dependants.setdefault(other, {})[job.job_id] = None
        if job.ends_at is not None:
            heappush(self._ends, (job.ends_at, self._added, job.job_id))
        self._enter(entry)

    def _change(
        self,
        entry: _Entry,
        event: JobPaused | JobResumed | JobAssembling | JobReturned | JobStopping,
    ) -> None:
        phase, is_begun = entry.phase, entry.is_begun
        if phase is Phase.STOPPING and not isinstance(event, JobReturned):
            return
        match event:
            case JobPaused() if not entry.is_assembling:
                phase = Phase.PAUSED
            case JobResumed() if phase is Phase.PAUSED:
                phase = Phase.RUNNING if is_begun else _ready(entry)
            case JobAssembling() if is_begun:
                phase, entry.is_assembling = Phase.RUNNING, True
            case JobReturned() if is_begun:
                phase = Phase.WAITING if phase is Phase.RUNNING else phase
                is_begun = entry.is_assembling = False
            case JobStopping():
                phase = Phase.STOPPING
            case _:
                return
        self._move(entry, phase, is_begun=is_begun)

    def _end(self, job_id: str, state: JobState | None) -> Iterator[Command]:
        if entry := self._entries.pop(job_id, None):
            self._leave(entry)
            self._forget(entry)
        for other in self.dependants(job_id):
            dependant = self._entries[other]
            if job_id not in dependant.pending:
                continue
            dependant.pending.discard(job_id)
            if state is not JobState.SUCCEEDED:
                yield from self._failed(dependant, _unmet(job_id, state))
            elif dependant.phase is Phase.BLOCKED:
                self._move(dependant, _ready(dependant))

    def _forget(self, entry: _Entry) -> None:
        if len(self._ends) > 2 * len(self._entries) + _FEW:  # most are of jobs that have ended
            self._ends = [each for each in self._ends if each[2] in self._entries]
            heapify(self._ends)
        user = self._users[entry.added.user]
        user.jobs -= 1
        if not user.jobs:
            del self._users[entry.added.user]
        for other in entry.added.after:
            del self._dependants[other][entry.added.job_id]
            if not self._dependants[other]:
                del self._dependants[other]

    def _expired(self, now: datetime) -> Iterator[Command]:
        while self._ends and self._ends[0][0] <= now:
            _, number, job_id = heappop(self._ends)
            entry = self._entries.get(job_id)
            if entry is not None and entry.place.number == number:
                yield from self._failed(entry, _too_late(entry))

    def _failed(self, entry: _Entry, error: JobError) -> Iterator[Command]:
        if entry.phase is not Phase.STOPPING:
            self._move(entry, Phase.STOPPING)
            yield Fail(entry.added.job_id, error)

    def _beginnings(self) -> Iterator[Command]:
        while not self._is_held and (place := self._turns.next(self._users)):
            rivals = sum(entry.place.priority >= place.priority for entry in self._running.values())
            if rivals >= self._limit(self._users[place.user]):
                return  # those of lower priorities have even more
            self._begun += 1
            self._users[place.user].served = self._begun
            self._move(self._entries[place.job_id], Phase.RUNNING, is_begun=True)
            yield Begin(place.job_id)

    def _limit(self, user: User) -> int:
        """How many jobs may run where one of this user is to begin."""
        return self._most_running if user.running else 2 * self._most_running

    def _move(self, entry: _Entry, phase: Phase, *, is_begun: bool | None = None) -> None:
        self._leave(entry)
        entry.phase = phase
        if is_begun is not None:
            entry.is_begun = is_begun
        self._enter(entry)

    def _enter(self, entry: _Entry) -> None:
        user = self._users[entry.added.user]
        self._counts[entry.phase] += 1
        user.queued += not entry.is_begun
        if entry.phase is Phase.WAITING:
            self._turns.put(entry.place)
        if entry.takes_room:
            self._running[entry.added.job_id] = entry
            user.running += 1

    def _leave(self, entry: _Entry) -> None:
        user = self._users[entry.added.user]
        self._counts[entry.phase] -= 1
        user.queued -= not entry.is_begun
        if entry.phase is Phase.WAITING:
            self._turns.take(entry.place)
        if entry.takes_room:
            del self._running[entry.added.job_id]
            user.running -= 1


def _ready(entry: _Entry) -> Phase:
    return Phase.BLOCKED if entry.pending else Phase.WAITING


def _unmet(job_id: str, state: JobState | None) -> JobError:
    ends: dict[JobState | None, str] = {
        JobState.FAILED: "has failed",
        JobState.CANCELLED: "was cancelled",
    }
    end = ends.get(state, "was deleted")
    return JobError(reason=DEPENDENCY, message=f"job {job_id}, which it comes after, {end}")


def _too_late(entry: _Entry) -> JobError:
    told = {Phase.RUNNING: "while it ran", Phase.PAUSED: "while it was paused"}
    where = told.get(entry.phase, "before its turn came")
    return JobError(
        reason=DEADLINE_EXCEEDED,
        message=f"its time was over at {entry.added.ends_at:%Y-%m-%d %H:%M:%S} UTC, {where}; "
        "give it a longer time limit, or a higher priority",
    )
