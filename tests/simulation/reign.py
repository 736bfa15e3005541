"""Reign: one coordinator's process over the production code, from its start to its death."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from coordinator.events import EventLog
from coordinator.holds import Holds
from coordinator.jobs import Jobs
from coordinator.patient_store import PatientStore
from coordinator.retention import Retention
from coordinator.settings import Keeping
from coordinator.storage import DiskWatch
from coordinator.stores.base import LostLeadershipError, StoreDownError
from executors.errors import StaleTermError
from executors.fleet import Fleet, open_fleet
from executors.grpc import GrpcExecutor

from .loop import Process, VirtualLoop
from .memory_store import Disk, MemoryStore
from .network import Network
from .room import Room
from .runner import FOLDER, Cupboard, NoBundles, SimAttemptFiles, SimJobFiles, SimRunner
from .wall import jump_s
from .world import PodDiscovery, Pods

if TYPE_CHECKING:
    from coordinator.artifacts.bundles import KeptBundles

T = TypeVar("T")

WORKER_WAIT_S: Final = 300.0
MOST_RUNNING: Final = 3
_DEPOSED_S: Final = 3.0
_MEASURE_S: Final = 0.001


class CutOffError(Exception):
    """Whoever was asked went away before the answer came."""


@dataclass(eq=False, slots=True)
class Reign:
    """A coordinator that works."""

    process: Process
    store: MemoryStore
    events: EventLog
    jobs: Jobs
    fleet: Fleet
    executor: GrpcExecutor
    retention: Retention
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    requests: dict[asyncio.Task[Any], None] = field(default_factory=dict)

    def cut_off(self) -> None:
        """The server ends: whoever is connected hears so."""
        for request in tuple(self.requests):
            request.cancel()


class Throne:
    """Has a coordinator at work, and another one whenever one has died or ended."""

    def __init__(self, pods: Pods, network: Network, disk: Disk, cupboard: Cupboard) -> None:
        self._pods = pods
        self._network = network
        self._disk = disk
        self._cupboard = cupboard
        self.loop: VirtualLoop = network.loop
        self._numbers = count(1)
        self._ids = count(1)
        self._context = contextvars.copy_context()
        self._waiting: list[asyncio.Future[None]] = []
        self._ended_processes: set[Process] = set()
        self._reigns: dict[Process, Reign] = {}
        self._ended: asyncio.Future[None] | None = None
        self.reign: Reign | None = None
        self.processes: list[Process] = []
        self.is_over = False
        disk.kill = self.kill

    @property
    def reigns(self) -> list[Reign]:
        """All that work: two, for a while, when another one has taken the lead."""
        return list(self._reigns.values())

    # -- life and death ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a coordinator, unless one is at work or about to be."""
        if self.is_over or (self.processes and self._is_at_work(self.processes[-1])):
            return
        self._begin()

    def usurp(self, value: float) -> None:
        """Another coordinator takes the lead from one that lives, and hears of it later."""
        if self.reign is not None:
            self._network.later(_DEPOSED_S, self.reign.stopping.set)
            self._begin()
            self._network.wall.set_apart(self.processes[-1], jump_s(value) / 100)

    def jump(self, seconds: float) -> None:
        """The time of day jumps."""
        self._network.watch.note(f"clocks jump by {seconds:.3f} s")
        self._network.wall.jump(seconds)

    def fill(self, room: Room, *, left_bytes: int, for_s: float) -> None:
        """The disk of the coordinators is full for some time."""
        self._network.watch.note(f"the disk is full: {left_bytes} bytes are free, for {for_s:g} s")
        room.fill(left_bytes=left_bytes)
        self._network.later(for_s, room.empty)

    async def sweep_after(self, age: timedelta) -> None:
        """Have what nobody needs removed, as after so long."""
        self.jump(age.total_seconds())
        await self.ask(lambda reign: reign.retention.sweep())

    def _is_at_work(self, process: Process) -> bool:
        return not process.is_dead and process not in self._ended_processes

    def _begin(self) -> None:
        process = Process(f"coordinator-{next(self._numbers)}")
        self.processes.append(process)
        self._network.watch.note(f"{process.name} begins")
        main = self.loop.in_process(process, self._reign(process), name=process.name)
        main.add_done_callback(lambda task: self._has_ended(process, task), context=self._context)

    def kill(self, process: Process | None = None, *, back_after_s: float = 1.0) -> None:
        """End it as by SIGKILL."""
        process = process or self.processes[-1]
        if not self._is_at_work(process):
            return
        self._network.watch.note(f"{process.name} is killed")
        self.loop.kill(process)
        self._retire(process)
        self._network.later(back_after_s, self.begin)

    async def end(self) -> None:
        """SIGTERM, for good, and wait for its end."""
        self.is_over = True
        self._ended = self.loop.create_future()
        assert self.reign is not None
        self.reign.stopping.set()
        await self._ended

    def restart(self) -> None:
        """SIGTERM, and another one after it."""
        if self.reign is not None:
            self._network.watch.note(f"{self.reign.process.name} is told to end")
            self.reign.stopping.set()

    async def _reign(self, process: Process) -> None:
        store = MemoryStore(self._disk, process)
        term = await store.begin_term()
        connect = self._network.connect(process, term=term)
        utc_now = partial(self._network.wall.now, process)
        holds = Holds()
        patient = PatientStore(store, holds)
        events = EventLog(patient)
        async with AsyncExitStack() as stack:
            fleet = await stack.enter_async_context(
                open_fleet(
                    PodDiscovery(self._pods), connect, worker_wait_s=WORKER_WAIT_S, term=term
                )
            )
            executor = GrpcExecutor(fleet, SimAttemptFiles(self._cupboard, process, term=term))
            runner = SimRunner(executor, self._cupboard, process)
            files = SimJobFiles(self._cupboard, process, term=term)
            jobs = Jobs(
                patient,
                events,
                runner,
                files=files,
                new_id=lambda: f"job{next(self._ids)}",
                utc_now=utc_now,
                most_running=MOST_RUNNING,
                holds=holds,
                pauser=executor,
                storage=DiskWatch(FOLDER, holds, measure=self._measure),
            )
            retention = self._retention(process, jobs, patient, files)
            await stack.enter_async_context(jobs.working())
            await stack.enter_async_context(retention.working())
            reign = Reign(process, store, events, jobs, fleet, executor, retention)
            self.reign = self._reigns[process] = reign
            self._wake()
            await reign.stopping.wait()
            self._retire(process)

    def _retention(
        self, process: Process, jobs: Jobs, store: PatientStore, files: SimJobFiles
    ) -> Retention:
        return Retention(
            Keeping(jobs_s=self._pods.world.keep_s),
            jobs=jobs,
            store=store,
            files=files,
            bundles=cast("KeptBundles", NoBundles()),
            utc_now=partial(self._network.wall.now, process),
        )

    async def _measure(self, folder: Path) -> int:
        del folder
        await asyncio.sleep(_MEASURE_S)
        return self._cupboard.room.free_bytes

    def _has_ended(self, process: Process, task: asyncio.Task[None]) -> None:
        if process in self.loop.dead:  # what is tidied away
            return
        self._ended_processes.add(process)
        error = None if task.cancelled() else task.exception()
        self._network.watch.note(f"{process.name} has ended: {error!r}")
        self._retire(process)
        was_followed = self._disk.leader is not process
        is_legal = isinstance(error, StoreDownError) or (
            was_followed and isinstance(error, LostLeadershipError | StaleTermError)
        )
        if error is not None and not is_legal:
            self.loop.fail(error)
        if error is None:
            self._network.watch.check_left(process)
        for left in tuple(process.tasks):  # as at the end of asyncio.run
            left.cancel()
        if self.is_over:
            if self._ended is not None and not self._ended.done():
                self._ended.set_result(None)
        else:
            self._network.later(1.0, self.begin)

    def _retire(self, process: Process) -> None:
        if reign := self._reigns.pop(process, None):
            reign.cut_off()
        if self.reign is reign:
            self.reign = None

    # -- who asks it for something -----------------------------------------------------------------

    async def ask(self, work: Callable[[Reign], Awaitable[T]]) -> T:
        """Have something done in the process of whoever reigns now, once someone does.

        Raises:
            CutOffError: it died before it answered. And whatever the work raises.

        """
        reign = await self._present()
        answer: asyncio.Future[T] = self.loop.create_future()

        async def do() -> T:
            return await work(reign)

        task = self.loop.in_process(reign.process, do(), name="request")
        reign.requests[task] = None

        def pass_on(done: asyncio.Task[T]) -> None:
            reign.requests.pop(done, None)
            _copy(done, answer)

        task.add_done_callback(pass_on, context=self._context)
        reign.process.on_death.append(lambda: _fail(answer, CutOffError("it is gone")))
        try:
            return await answer
        finally:
            task.cancel()

    async def _present(self) -> Reign:
        while self.reign is None:
            waiting = self.loop.create_future()
            self._waiting.append(waiting)
            await waiting
        return self.reign

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


def _copy(done: asyncio.Task[T], answer: asyncio.Future[T]) -> None:
    if done.cancelled():
        _fail(answer, CutOffError("the server ends"))
    elif error := done.exception():
        _fail(answer, error)
    elif not answer.done():
        answer.set_result(done.result())


def _fail(answer: asyncio.Future[T], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
