"""The real scheduler with thousands of workers: its slot use, and what it does for each chunk.

Only the core runs here, driven by a heap of events: what the shell adds for a chunk does not depend
on how many others there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final
from unittest import mock

from executors.base import Share, WarmPage
from executors.errors import WorkerLostError
from executors.scheduling import free_slots, jobs
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import (
    Accept,
    Event,
    Failed,
    Offer,
    Offered,
    Progressed,
    Start,
    Stop,
    Stopped,
    Succeeded,
    Surveyed,
    Ticked,
    Withdrawn,
    WorkerFound,
    WorkerTold,
)
from executors.worker_port import ReportedAttempt, Token, WorkerReport

from .open_pages import OpenPages, Way

TICK_S: Final = 0.5
# As executors.roster: all workers together are asked so often a second at most.
_ASKS_A_SECOND: Final = 200
_STOP_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """`speeds` are the seconds a frame takes, by worker. Some attempts are lost on their way.

    To come to a chunk takes as long as so many frames.
    """

    speeds: Sequence[float]
    chunks: int
    jobs: int = 10
    frames: int = 100
    users: int = 4
    lost: float = 0.0
    seed: int = 1
    is_played: bool = False
    way_frames: Mapping[Way, int] = field(default_factory=lambda: dict.fromkeys(Way, 0))


@dataclass(slots=True)
class Figures:
    """What a run came to."""

    makespan_s: float = 0.0
    wanted_s: float = 0.0  # how long some chunk waited for a slot
    busy_s: float = 0.0  # of all slots together, in that time
    started: int = 0
    stopped: int = 0
    done: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    first_half: Counter[str] = field(default_factory=Counter)  # of the chunks, by user
    begun: Counter[Way] = field(default_factory=Counter)
    ends_s: dict[int, float] = field(default_factory=dict)  # of chunks, by number

    def slot_use(self, slots: int) -> float:
        """How much of the farm was busy while there was more to do than slots."""
        return self.busy_s / (slots * self.wanted_s)


class Flow:
    """One run."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.figures = Figures()
        self.scheduler = Scheduler(worker_wait_s=300.0, term=1)
        self._draw = Random(farm.seed)
        self._now_s = 0.0
        self._order = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._busy: dict[str, tuple[int, Token]] = {}
        self._offers: dict[int, Offer] = {}
        self._running: Counter[int] = Counter()  # attempts, by chunk
        self._pages = OpenPages()
        self._last_s = 0.0

    def run(self) -> Figures:
        with ExitStack() as stack:
            for module in (free_slots, jobs):
                for name in ("heappush", "heappop"):
                    counted = self._counting(name, getattr(module, name))
                    stack.enter_context(mock.patch.object(module, name, counted))
            place = jobs.Jobs._place
            views = self._counting("views", place)
            stack.enter_context(mock.patch.object(jobs.Jobs, "_place", views))
            self._begin()
            self._go()
        return self.figures

    def _begin(self) -> None:
        for number, _ in enumerate(self.farm.speeds):
            self._hear(WorkerFound(_address(number)))
            self._hear(WorkerTold(_address(number), _report(number)))
        for number in range(self.farm.chunks):
            self._offers[number] = offer = self._offer(number)
            self._hear(Offered(offer))
        self._hear(Surveyed())
        self._tick()
        self._ask(0)

    def _go(self) -> None:
        while self._offers:
            self._now_s, _, act = heappop(self._agenda)
            act()
        self.figures.makespan_s = self._now_s

    def _hear(self, event: Event) -> None:
        self.figures.operations["events"] += 1
        for command in self.scheduler.step(event, self._now_s):
            self.figures.operations["commands"] += 1
            match command:
                case Start(number, token, worker):
                    self._start(number, token, worker)
                case Stop(number, token):
                    self.figures.stopped += 1
                    self._later(_STOP_S, partial(self._stopped, number, token))
                case Accept(number, _):
                    self._later(0.0, partial(self._withdraw, number))
                case _:
                    pass

    def _start(self, number: int, token: Token, worker: str) -> None:
        self.figures.started += 1
        frames, frame_s = self._offers[number].frames, self.farm.speeds[_number(worker)]
        way = self._pages.take(worker, self._offers[number])
        self.figures.begun[way] += 1
        took_s = frame_s * (frames * self._draw.uniform(0.8, 1.2) + self.farm.way_frames[way])
        self._account()
        self._busy[worker] = (number, token)
        self._running[number] += 1
        is_lost = self._draw.random() < self.farm.lost
        if not is_lost:
            middle = Progressed(number, token, frames // 2)
            self._later(took_s / 2, lambda: self._if_there(worker, number, token, middle))
        self._later(
            took_s / 2 if is_lost else took_s,
            lambda: self._end(worker, number, token, is_lost=is_lost),
        )

    def _if_there(self, worker: str, number: int, token: Token, event: Event) -> None:
        if self._busy.get(worker) == (number, token):
            self._hear(event)

    def _end(self, worker: str, number: int, token: Token, *, is_lost: bool) -> None:
        if self._busy.get(worker) != (number, token):
            return  # it was stopped before
        self._free(worker)
        if is_lost:
            self._hear(Failed(number, token, WorkerLostError("connection reset")))
            self._tell(_number(worker))
            return
        offer = self._offers[number]
        self._pages.leave(worker, offer)
        self.figures.done += 1
        self.figures.ends_s[number] = self._now_s
        if 2 * self.figures.done <= self.farm.chunks:
            self.figures.first_half[offer.share.user] += 1
        self._hear(Succeeded(number, token))

    def _stopped(self, number: int, token: Token) -> None:
        for worker, what in self._busy.items():
            if what == (number, token):
                self._free(worker)
                self._hear(Stopped(number, token))
                return

    def _free(self, worker: str) -> None:
        self._account()
        number, _ = self._busy.pop(worker)
        self._running[number] -= 1
        if not self._running[number]:
            del self._running[number]

    def _account(self) -> None:
        """Add up slots that were busy since the last change, while some chunk waited for one."""
        passed_s, self._last_s = self._now_s - self._last_s, self._now_s
        if len(self._running) < len(self._offers):
            self.figures.wanted_s += passed_s
            self.figures.busy_s += passed_s * len(self._busy)

    def _withdraw(self, number: int) -> None:
        del self._offers[number]
        self._hear(Withdrawn(number))

    def _tick(self) -> None:
        self._hear(Ticked())
        self._later(TICK_S, self._tick)

    def _ask(self, number: int) -> None:
        """Each worker is asked in its turn."""
        workers = len(self.farm.speeds)
        self._tell(number)
        pause_s = max(1.0 / workers, 1.0 / _ASKS_A_SECOND)
        self._later(pause_s, lambda: self._ask((number + 1) % workers))

    def _tell(self, number: int) -> None:
        address = _address(number)
        runs = self._busy.get(address)
        report = _report(number, runs and self._reported(*runs), self._pages.of(address))
        self._hear(WorkerTold(address, report))

    def _reported(self, number: int, token: Token) -> ReportedAttempt:
        job_id, index = self._name(number)
        return ReportedAttempt(job_id=job_id, index=index, token=token)

    def _name(self, number: int) -> tuple[str, int]:
        return f"job{number % self.farm.jobs}", number // self.farm.jobs

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heappush(self._agenda, (self._now_s + seconds, next(self._order), act))

    def _offer(self, number: int) -> Offer:
        job_id, index = self._name(number)
        user = f"user{number % self.farm.jobs % self.farm.users}"
        return Offer(
            number=number,
            job_id=job_id,
            index=index,
            start=index * self.farm.frames,
            frames=self.farm.frames,
            digest=None,
            share=Share(user=user),
            keeps_page=True,
            is_played=self.farm.is_played,
        )

    def _counting(self, name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        operations = self.figures.operations

        def counted(*args: Any) -> Any:
            operations[name] += 1
            return inner(*args)

        return counted


def _address(number: int) -> str:
    return f"w{number}"


def _number(address: str) -> int:
    return int(address[1:])


def _report(
    number: int, runs: ReportedAttempt | None = None, pages: tuple[WarmPage, ...] = ()
) -> WorkerReport:
    return WorkerReport(
        name=_address(number),
        version="sim",
        fingerprint="engine-1",
        slots=1,
        free_slots=0 if runs else 1,
        attempts=(runs,) if runs else (),
        warm_pages=pages,
    )
