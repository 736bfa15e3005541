"""An event loop on virtual time: the same callbacks give the same run, however long they wait.

Time moves only when nothing is ready, and then to the next timer. Tasks hash by their number, for
asyncio keeps them in sets and, say, cancels a task group in the set's order. Threads are forbidden.
A process of the simulated world can die: from then on nothing of it runs, not even its `finally`.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import selectors
import time
from asyncio import events
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

_WALL_CHECK_EVERY = 512
_CLOSING_TURNS = 2_000
_CLOSING_TRIES = 50


class SimulationError(AssertionError):
    """The run cannot go on: a deadlock, an error that nobody handles, a limit that was passed."""


class ProcessKilled(BaseException):  # no error of the code that meets it
    """Raised at whatever a process that has died still asks of the world while it is tidied."""


def simulate(
    main: Coroutine[Any, Any, T], *, limits: Limits | None = None, loop: VirtualLoop | None = None
) -> T:
    """Run `main` on virtual time to its end.

    Raises:
        SimulationError: the run's first fault, or an error that nobody handles.

    """
    loop = loop or VirtualLoop(limits)
    try:
        asyncio.set_event_loop(None)
        return loop.run_until_complete(main)
    except RuntimeError:
        if loop.fault is None:
            raise
        raise loop.fault from loop.fault.__cause__
    finally:
        loop.end_all(loop.dead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may take: a hung one must fail, not hang its test."""

    virtual_s: float = 36_000.0
    steps: int = 50_000_000
    wall_s: float = 60.0


@dataclass(eq=False, slots=True)
class Process:
    """Tasks that live and die together. `on_death` tells what they were connected to."""

    name: str
    is_dead: bool = False
    tasks: dict[asyncio.Task[Any], None] = field(default_factory=dict)
    frozen: list[events.Handle] = field(default_factory=list)
    on_death: list[Callable[[], None]] = field(default_factory=list)


_PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


def current_process() -> Process | None:
    """The process whose code runs now; None: the world's own."""
    return _PROCESS.get()


class _NumberedTask(asyncio.Task[T]):
    """A task that hashes by the order of creation, and tells the loop when it fails."""

    number: int
    process: Process | None

    def __hash__(self) -> int:
        return self.number


class _NoWaiting(selectors.SelectSelector):
    """Where asyncio would wait for I/O, virtual time goes on."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        self.loop.advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. `run_until_complete` raises SimulationError for the run's first fault."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._now_s = 0.0
        self._limits = limits or Limits()
        self._numbers = itertools.count()
        self._failed_tasks: list[_NumberedTask[Any]] = []
        self._has_dead = False
        self._began_s = time.monotonic()
        self._turns = 0
        self._traps: dict[int, Callable[[], None]] = {}
        self._trap_at = -1
        self.steps = 0
        self.fault: BaseException | None = None
        self.dead: list[Process] = []
        self._is_closing = False
        selector = _NoWaiting()
        selector.loop = self
        super().__init__(selector)
        self._nothing = events.Handle(lambda: None, (), self, _WORLD)
        self._nothing.cancel()
        self.set_task_factory(self._new_task)  # type: ignore[arg-type]
        self.set_exception_handler(_note)

    def time(self) -> float:
        return self._now_s

    def advance(self, timeout_s: float | None) -> None:
        """Go to the next timer; called by asyncio whenever it would look for I/O."""
        self._turns += 1
        if self._is_closing:
            self._close_on(timeout_s)
        elif self.fault is not None:
            self.stop()
        elif timeout_s is None:
            self.fail(SimulationError("deadlock: nothing is scheduled, and nobody is done"))
        elif timeout_s > 0:
            self._check_failed()
            self._now_s += timeout_s
            if self._now_s > self._limits.virtual_s:
                self.fail(SimulationError(f"not done after {self._limits.virtual_s:g} virtual s"))
        if self._turns % _WALL_CHECK_EVERY == 0:
            self._check_wall()

    def fail(self, fault: BaseException) -> None:
        """End the run; the first fault counts."""
        if self.fault is None:
            self.fault = fault
        self.stop()

    # -- what is forbidden ------------------------------------------------------------------------

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> NoReturn:  # type: ignore[override]
        del executor, args
        work = func.args[0] if isinstance(func, partial) and func.args else func
        fault = SimulationError(f"a thread on the simulated path, for {work!r}")
        self.fail(fault)
        raise fault

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> events.Handle:
        if not self._is_closing:
            self.fail(SimulationError(f"call_soon_threadsafe on the simulated path: {callback!r}"))
        return self.call_soon(callback, *args, context=context)

    # -- steps, and processes that die ------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> events.Handle:
        context = context if context is not None else contextvars.copy_context()
        handle = events.Handle(callback, args, self, context)
        if self._has_dead and (process := context.get(_PROCESS)) and process.is_dead:
            process.frozen.append(handle)
            return handle
        self._ready.append(handle)  # type: ignore[attr-defined]
        self.steps += 1
        if self.steps == self._trap_at:
            self._spring()
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> events.TimerHandle:
        context = context if context is not None else contextvars.copy_context()
        timer = events.TimerHandle(when, callback, args, self, context)
        if self._has_dead and (process := context.get(_PROCESS)) and process.is_dead:
            process.frozen.append(timer)
            return timer
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def after_steps(self, steps: int, act: Callable[[], None]) -> None:
        """Act when so many more steps were taken, between two of them: at an await of someone."""
        self._traps[self.steps + max(1, steps)] = act
        self._trap_at = min(self._traps)

    def in_process(
        self, process: Process | None, work: Coroutine[Any, Any, T], *, name: str
    ) -> asyncio.Task[T]:
        """Begin a task of a process (None: of the world)."""
        context = contextvars.copy_context()
        context.run(_PROCESS.set, process)
        return self.create_task(work, name=name, context=context)

    def kill(self, process: Process) -> None:
        """From now on nothing of the process runs."""
        process.is_dead = self._has_dead = True
        self.dead.append(process)
        ready: Any = self._ready  # type: ignore[attr-defined]
        timers: Any = self._scheduled  # type: ignore[attr-defined]
        for handle in [each for each in ready if _is_of(each, process)]:
            process.frozen.append(handle)
            # asyncio has counted what it will run in this turn: something has to be there.
            ready[ready.index(handle)] = self._nothing
        living = [each for each in timers if not _is_of(each, process)]
        for timer in [each for each in timers if _is_of(each, process)]:
            process.frozen.append(timer)
            timer._scheduled = False  # else its cancel is counted
        timers[:] = living
        heapq.heapify(timers)
        for tell in process.on_death:
            tell()

    def tidy(self, process: Process) -> None:
        """End the tasks of a process that has died, for Python's sake: the world hears nothing."""
        process.is_dead = False
        for handle in process.frozen:
            if not handle.cancelled() and not isinstance(handle, events.TimerHandle):
                self.call_soon(handle._run, context=_WORLD)
        process.frozen.clear()
        for task in list(process.tasks):
            task.cancel()

    # -- inside -----------------------------------------------------------------------------------

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], context: Any = None
    ) -> _NumberedTask[T]:
        task = _NumberedTask.__new__(_NumberedTask)
        task.number = next(self._numbers)  # asked for by the registration in __init__
        task.__init__(work, loop=loop, context=context)  # type: ignore[misc]
        process = context.get(_PROCESS) if context is not None else _PROCESS.get()
        task.process = process
        if process is not None:
            process.tasks[task] = None
        task.add_done_callback(self._ended, context=_WORLD)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        assert isinstance(task, _NumberedTask)
        if task.process is not None:
            task.process.tasks.pop(task, None)
        if task._log_traceback:
            self._failed_tasks.append(task)

    def _check_failed(self) -> None:
        failed, self._failed_tasks = self._failed_tasks, []
        for task in failed:
            if task.process is not None and task.process.is_dead:
                continue  # whoever would have looked at it died with it
            if task._log_traceback and (error := task.exception()):
                text = f"nobody handles the error of task {task.get_name()}: {error!r}"
                fault = SimulationError(text)
                fault.__cause__ = error
                self.fail(fault)

    def end_all(self, processes: Iterable[Process]) -> None:
        """End whatever still runs, after the run, and close the loop."""
        self._is_closing, self._turns = True, 0
        self.set_exception_handler(lambda *_: None)
        for process in processes:
            self.tidy(process)
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.run_forever()
        closed: set[asyncio.Task[Any]] = set()
        while left := asyncio.all_tasks(self) - closed:  # on their way out some begin others
            closed |= left
            for task in left:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro())
        self.close()

    def _close_on(self, timeout_s: float | None) -> None:
        if timeout_s is None or self._turns > _CLOSING_TURNS or not asyncio.all_tasks(self):
            self.stop()
        else:
            self._now_s += timeout_s

    def _spring(self) -> None:
        act = self._traps.pop(self._trap_at)
        self._trap_at = min(self._traps, default=-1)
        handle = events.Handle(act, (), self, _WORLD)
        self._ready.appendleft(handle)  # type: ignore[attr-defined]

    def _check_wall(self) -> None:
        if time.monotonic() - self._began_s > self._limits.wall_s:
            self.fail(SimulationError(f"not done after {self._limits.wall_s:g} s of wall time"))
        if self.steps > self._limits.steps:
            self.fail(SimulationError(f"not done after {self._limits.steps} steps"))


def _is_of(handle: Any, process: Process) -> bool:
    return handle._context is not None and handle._context.get(_PROCESS) is process


def _close(work: Any) -> None:
    """End a coroutine that does not end by itself, however often it waits on its way out."""
    for _ in range(_CLOSING_TRIES):
        try:
            work.close()
        except BaseException:  # noqa: BLE001  # the run is over
            continue
        return


_WORLD = contextvars.Context()  # no process is set in it


def _note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, VirtualLoop)
    fault = SimulationError(f"the event loop complains: {context.get('message')}")
    fault.__cause__ = context.get("exception")
    loop.fail(fault)
