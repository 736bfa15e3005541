"""Scenarios at the way to one worker, told so that a model and the real thing can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from executors.base import ChunkResult, ChunkTask, Filmed, FramesDone
from executors.errors import ExecutorError
from executors.worker_port import WorkerPort
from tests.support.tasks import a_task

FRAME_S: Final = 0.04
FRAMES: Final = 10
_MOST_ASKS: Final = 100


class Rig(Protocol):
    """A worker of one slot, and ways to it."""

    folder: Path

    def port(self, *, term: int) -> WorkerPort:
        """A new connection of a coordinator in this term."""
        ...

    async def cut(self, port: WorkerPort) -> None:
        """Break the connection under whatever goes on."""
        ...

    async def drain(self) -> None:
        """Tell the worker to go; return at once."""
        ...

    def fill(self) -> None:
        """Leave no room on the worker's disk."""
        ...

    def hold_encoders(self) -> None:
        """Let no encoder end until `let_encoders_end`."""
        ...

    def let_encoders_end(self) -> None: ...


def a_chunk(
    index: int = 0, *, term: int = 1, attempt: int = 1, frames: int = FRAMES, throw: int = -1
) -> ChunkTask:
    task = a_task(0, frames, frame_s=FRAME_S, throw=throw)
    return replace(task, index=index, term=term, attempt=attempt)


@dataclass
class Told:
    """What happened, in words that are the same for a model and for the real thing."""

    lines: list[str] = field(default_factory=list)
    begun: dict[str, asyncio.Event] = field(default_factory=dict)
    filmed: dict[str, asyncio.Event] = field(default_factory=dict)

    def call(
        self,
        name: str,
        make: Callable[..., Awaitable[ChunkResult]],
        task: ChunkTask,
        rig: Rig,
    ) -> asyncio.Task[None]:
        self.begun[name], self.filmed[name] = asyncio.Event(), asyncio.Event()
        return asyncio.create_task(self._call(name, make, task, rig), name=name)

    async def _call(
        self,
        name: str,
        make: Callable[..., Awaitable[ChunkResult]],
        task: ChunkTask,
        rig: Rig,
    ) -> None:
        def hear(event: object) -> None:
            if isinstance(event, FramesDone):
                self.begun[name].set()
            elif isinstance(event, Filmed):
                self.filmed[name].set()

        outcome = "was cancelled"
        try:
            result = await make(task, rig.folder / f"{name}.mp4", on_progress=hear)
            outcome = f"gave attempt {result.attempt}, {result.frames} frames"
        except ExecutorError as error:
            outcome = f"raised {type(error).__name__} {error.reason}, {error.retry}"
        finally:
            self.lines.append(f"{name} {outcome}")

    async def ask(self, port: WorkerPort) -> None:
        report = await port.ask()
        attempts = [
            f"{each.index}:{each.token.term}.{each.token.attempt}"
            f"{' finished' if each.is_finished else ' filmed' if each.is_filmed else ''}"
            for each in report.attempts
        ]
        drains = ", drains" if report.is_draining else ""
        self.lines.append(f"{report.free_slots} of {report.slots} free{drains}, has {attempts}")


async def finished(port: WorkerPort) -> None:
    """Wait until the worker has finished something."""
    for _ in range(_MOST_ASKS):
        if any(each.is_finished for each in (await port.ask()).attempts):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("nothing was finished in time")


async def idle(port: WorkerPort) -> None:
    """Wait until the worker has nothing left."""
    for _ in range(_MOST_ASKS):
        report = await port.ask()
        if not report.attempts and report.free_slots == report.slots:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("something was left")


@asynccontextmanager
async def running(
    told: Told, name: str, port: WorkerPort, task: ChunkTask, rig: Rig
) -> AsyncGenerator[asyncio.Task[None]]:
    """A render call that has got so far that its worker has the attempt."""
    call = told.call(name, port.render, task, rig)
    await told.begun[name].wait()
    yield call
    await asyncio.wait([call])


async def done(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    await told.call("render", port.render, a_chunk(), rig)
    await told.ask(port)


async def refused_when_full_and_free_after_an_abort(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    async with running(told, "first", port, a_chunk(0, frames=200), rig) as first:
        await told.call("second", port.render, a_chunk(1), rig)
        await told.ask(port)
        first.cancel()
    await told.ask(port)


async def the_same_attempt_again(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    async with running(told, "first", port, a_chunk(), rig):
        await told.call("again", port.render, a_chunk(), rig)


async def superseded_by_a_later_attempt(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    async with running(told, "older", port, a_chunk(frames=200), rig):
        await told.call("newer", port.render, a_chunk(attempt=2), rig)


async def a_stale_term(rig: Rig, told: Told) -> None:
    await told.call("later", rig.port(term=2).render, a_chunk(term=2), rig)
    await told.call("stale", rig.port(term=1).render, a_chunk(term=1, attempt=9), rig)
    await told.call("stale-attach", rig.port(term=1).attach, a_chunk(term=1), rig)


async def accepted_then_lost_then_attached(rig: Rig, told: Told) -> None:
    port, next_port = rig.port(term=1), rig.port(term=2)
    async with running(told, "first", port, a_chunk(frames=60), rig):
        await rig.cut(port)
    await told.ask(next_port)
    await told.call("attach", next_port.attach, a_chunk(frames=60), rig)
    await told.ask(next_port)


async def finished_while_nobody_listened(rig: Rig, told: Told) -> None:
    port, next_port = rig.port(term=1), rig.port(term=2)
    async with running(told, "first", port, a_chunk(), rig):
        await rig.cut(port)
    await finished(next_port)
    await told.ask(next_port)
    await told.call("attach", next_port.attach, a_chunk(), rig)
    await told.call("attach-again", next_port.attach, a_chunk(), rig)
    await told.ask(next_port)


async def taken_over(rig: Rig, told: Told) -> None:
    port, next_port = rig.port(term=1), rig.port(term=2)
    async with running(told, "first", port, a_chunk(frames=20), rig):
        await told.call("attach", next_port.attach, a_chunk(frames=20), rig)


async def nothing_to_attach_to(rig: Rig, told: Told) -> None:
    await told.call("attach", rig.port(term=1).attach, a_chunk(), rig)


async def drained(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    async with running(told, "first", port, a_chunk(), rig):
        await rig.drain()
        await told.ask(port)
        await told.call("second", port.render, a_chunk(1), rig)


async def the_page_throws(rig: Rig, told: Told) -> None:
    await told.call("render", rig.port(term=1).render, a_chunk(throw=5), rig)
    await told.ask(rig.port(term=1))


async def the_job_ends(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    async with running(told, "render", port, a_chunk(frames=200), rig):
        await port.end_job("job")
    await told.ask(port)


async def its_time_is_over(rig: Rig, told: Told) -> None:
    port, now_s = rig.port(term=1), asyncio.get_running_loop().time()
    task = replace(a_chunk(frames=500), ends_at_s=now_s + 0.5)
    await told.call("render", port.render, task, rig)
    await idle(port)
    late = replace(a_chunk(1), ends_at_s=now_s)
    await told.call("late", port.render, late, rig)
    await told.ask(port)


async def its_time_is_over_for_whoever_takes_it_up(rig: Rig, told: Told) -> None:
    port, next_port = rig.port(term=1), rig.port(term=2)
    async with running(told, "first", port, a_chunk(frames=500), rig):
        await rig.cut(port)
    task = replace(a_chunk(frames=500), ends_at_s=asyncio.get_running_loop().time() + 0.5)
    await told.call("attach", next_port.attach, task, rig)
    await idle(next_port)
    await told.ask(next_port)


async def the_next_one_begins_when_one_is_filmed(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    rig.hold_encoders()
    async with running(told, "first", port, a_chunk(0), rig):
        await told.filmed["first"].wait()
        await told.ask(port)
        async with running(told, "second", port, a_chunk(1), rig) as second:
            await told.filmed["second"].wait()
            await told.ask(port)
            await told.call("third", port.render, a_chunk(2), rig)
            second.cancel()
        await told.ask(port)
        rig.let_encoders_end()
    await told.ask(port)


async def filmed_then_lost_then_attached(rig: Rig, told: Told) -> None:
    port, next_port = rig.port(term=1), rig.port(term=2)
    rig.hold_encoders()
    async with running(told, "first", port, a_chunk(), rig):
        await told.filmed["first"].wait()
        await rig.cut(port)
    attaching = told.call("attach", next_port.attach, a_chunk(), rig)
    await told.filmed["attach"].wait()
    await told.ask(next_port)
    rig.let_encoders_end()
    await attaching
    await told.ask(next_port)


async def superseded_while_it_is_encoded(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    rig.hold_encoders()
    async with running(told, "older", port, a_chunk(), rig):
        await told.filmed["older"].wait()
        newer = told.call("newer", port.render, a_chunk(attempt=2), rig)
        await told.filmed["newer"].wait()
        await told.ask(port)
        rig.let_encoders_end()
        await newer


async def the_disk_is_full(rig: Rig, told: Told) -> None:
    port = rig.port(term=1)
    rig.fill()
    await told.call("render", port.render, a_chunk(), rig)
    await told.ask(port)


Scenario = Callable[[Rig, Told], Awaitable[None]]

# What each tells, of the model and of the real worker over gRPC.
SCENARIOS: Final[dict[Scenario, list[str]]] = {
    done: [
        "render gave attempt 1, 10 frames",
        "1 of 1 free, has []",
    ],
    refused_when_full_and_free_after_an_abort: [
        "second raised WorkerBusyError SLOTS_FULL, free",
        "0 of 1 free, has ['0:1.1']",
        "first was cancelled",
        "1 of 1 free, has []",
    ],
    the_same_attempt_again: [
        "again raised WorkerBusyError SUPERSEDED, free",
        "first gave attempt 1, 10 frames",
    ],
    superseded_by_a_later_attempt: [
        "older raised WorkerBusyError SUPERSEDED, free",
        "newer gave attempt 2, 10 frames",
    ],
    a_stale_term: [
        "later gave attempt 1, 10 frames",
        "stale raised StaleTermError STALE_TERM, never",
        "stale-attach raised StaleTermError STALE_TERM, never",
    ],
    accepted_then_lost_then_attached: [
        "first raised WorkerLostError",
        "0 of 1 free, has ['0:1.1']",
        "attach gave attempt 1, 60 frames",
        "1 of 1 free, has []",
    ],
    finished_while_nobody_listened: [
        "first raised WorkerLostError",
        "1 of 1 free, has ['0:1.1 finished']",
        "attach gave attempt 1, 10 frames",
        "attach-again raised AttemptNotFoundError ATTEMPT_NOT_FOUND, interruption",
        "1 of 1 free, has []",
    ],
    taken_over: [
        "first raised WorkerLostError TAKEN_OVER, interruption",
        "attach gave attempt 1, 20 frames",
    ],
    nothing_to_attach_to: [
        "attach raised AttemptNotFoundError ATTEMPT_NOT_FOUND, interruption",
    ],
    drained: [
        "0 of 1 free, drains, has ['0:1.1']",
        "second raised WorkerBusyError DRAINING, free",
        "first gave attempt 1, 10 frames",
    ],
    the_page_throws: [
        "render raised CompositionFailedError PAGE_ERROR, never",
        "1 of 1 free, has []",
    ],
    its_time_is_over: [
        "render raised ChunkAbortedError JOB_OVERDUE, never",
        "late raised ChunkAbortedError JOB_OVERDUE, never",
        "1 of 1 free, has []",
    ],
    its_time_is_over_for_whoever_takes_it_up: [
        "first raised WorkerLostError",
        "attach raised ChunkAbortedError JOB_OVERDUE, never",
        "1 of 1 free, has []",
    ],
    the_disk_is_full: [
        "render raised WorkerFullError STORAGE_FULL, interruption",
        "1 of 1 free, has []",
    ],
    the_next_one_begins_when_one_is_filmed: [
        "1 of 1 free, has ['0:1.1 filmed']",
        "0 of 1 free, has ['0:1.1 filmed', '1:1.1 filmed']",
        "third raised WorkerBusyError SLOTS_FULL, free",
        "second was cancelled",
        "1 of 1 free, has ['0:1.1 filmed']",
        "first gave attempt 1, 10 frames",
        "1 of 1 free, has []",
    ],
    filmed_then_lost_then_attached: [
        "first raised WorkerLostError",
        "1 of 1 free, has ['0:1.1 filmed']",
        "attach gave attempt 1, 10 frames",
        "1 of 1 free, has []",
    ],
    superseded_while_it_is_encoded: [
        "older raised WorkerBusyError SUPERSEDED, free",
        "1 of 1 free, has ['0:1.2 filmed']",
        "newer gave attempt 2, 10 frames",
    ],
    the_job_ends: [
        "render raised ChunkAbortedError ABORTED, never",
        "1 of 1 free, has []",
    ],
}
