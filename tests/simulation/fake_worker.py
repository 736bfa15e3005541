"""FakeWorker: a WorkerPort over a network that delays, cuts, breaks and loses."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from executors.base import ChunkResult, ChunkTask, Filmed, FramesDone, OnProgress
from executors.errors import (
    ChunkAbortedError,
    ChunkDamagedError,
    ExecutorError,
    StorageFullError,
    WorkerBusyError,
    WorkerLostError,
)
from executors.status import JOB_OVERDUE, SUPERSEDED
from renderer.history import ProbeResult

from .loop import Process, ProcessKilled
from .machine import Machine, chunk_content, forged_content, sha256_of

if TYPE_CHECKING:
    from executors.worker_port import WorkerReport

    from .network import Network

KEEPALIVE_S: Final = 30.0
CONNECT_S: Final = 20.0
ASK_S: Final = 3.0
ABORT_GRACE_S: Final = 3.0

_Held = tuple[str, Callable[[], None], contextvars.Context | None]
_SENT: Final = 0.5  # of the replies that get lost, so many were not sent whole
_APART_S: Final = 1e-6
_NO_CUT: Final[set[str]] = set()


@dataclass(eq=False, slots=True)
class Call:
    """A conversation between a coordinator's process and a machine; messages keep their order."""

    line: Line
    machine: Machine | None
    task: ChunkTask
    on_progress: OnProgress
    answer: asyncio.Future[ChunkResult]
    context: contextvars.Context
    left_s: float | None = None
    is_broken: bool = False
    is_over: bool = False  # its caller listens no more
    _last_up_s: float = 0.0
    _last_down_s: float = 0.0

    # -- the worker's side: what it says travels ---------------------------------------------------

    def tell(self, frames: int) -> None:
        self._down(self._hear, frames)

    def tell_filmed(self) -> None:
        self._down(self._hear_filmed)

    def finish(self, result: ChunkResult) -> None:
        strikes, where = self.line.network.chance.strikes, self.line.address
        if (lost := strikes("lose-reply", where)) is not None:
            if lost >= _SENT and self.machine is not None:
                self.machine.taken(self)  # all of it was sent: the worker keeps nothing
            self.line.snap(self, "the connection broke under the result")
        elif strikes("damage", where) is not None:
            self._down(self._spoil, ChunkDamagedError("the bytes that came are not those sent"))
        else:
            self._down(self._take, result)

    def fail(self, error: ExecutorError) -> None:
        self._down(self._fail, error)

    # -- the caller's side -------------------------------------------------------------------------

    def up(self, act: Callable[[Machine], None]) -> None:
        """Send something to the worker."""

        def arrive() -> None:
            if not self.is_broken and self.machine is not None and self.machine.is_up:
                act(self.machine)

        self._last_up_s = self.line.carry("up", arrive, after_s=self._last_up_s)

    def end(self, error: ExecutorError) -> None:
        """The caller's transport gives the call up."""
        if not self.answer.done() and not self.is_over:
            self.answer.set_exception(error)

    def _down(self, act: Callable[..., None], *args: object) -> None:
        def arrive() -> None:
            if not (self.is_broken or self.is_over):
                act(*args)

        self._last_down_s = self.line.carry(
            "down", arrive, after_s=self._last_down_s, context=self.context
        )

    def _hear(self, frames: int) -> None:
        if not self.answer.done():
            self.on_progress(FramesDone(frames))

    def _hear_filmed(self) -> None:
        if not self.answer.done():
            self.line.network.watch.filmed(self.line, self.task)
            self.on_progress(Filmed())

    def _take(self, result: ChunkResult) -> None:
        if not self.answer.done():
            self.answer.set_result(result)
        self._release()

    def _spoil(self, error: ExecutorError) -> None:
        self.end(error)  # of the worker's side all went well: it keeps nothing of it
        self._release()

    def _release(self) -> None:
        """A call that ends well has ended at the worker before: it keeps nothing of it."""
        if self.machine is not None and self.machine.is_up:
            self.machine.taken(self)

    def _fail(self, error: ExecutorError) -> None:
        self.end(error)


@dataclass(eq=False, slots=True)
class Line:
    """The way from one process to one address, in both directions."""

    network: Network
    process: Process
    address: str
    calls: dict[Call, None] = field(default_factory=dict)
    held: list[_Held] = field(default_factory=list)

    @property
    def cut(self) -> set[str]:
        """The ways ("up", "down") on which nothing comes through now."""
        return self.network.cuts.get(self.address, _NO_CUT)

    def carry(
        self,
        way: str,
        arrive: Callable[[], None],
        *,
        after_s: float = 0.0,
        context: contextvars.Context | None = None,
    ) -> float:
        """Bring a message to the other end; when it comes. While the way is cut it waits."""
        if way in self.cut:
            self.held.append((way, arrive, context))
            return after_s
        loop = self.network.loop
        # Never at the same time: which of two timers of one time comes first, nobody promises.
        when_s = max(after_s + _APART_S, loop.time() + self.network.latency_s(self.address))
        loop.call_at(when_s, arrive, context=context or self.network.context)
        return when_s

    def flush(self) -> None:
        """Bring what was held where the way is free again."""
        held, self.held = self.held, []
        loop = self.network.loop
        for direction, arrive, context in held:
            if direction in self.cut:
                self.held.append((direction, arrive, context))
            else:
                loop.call_soon(arrive, context=context or self.network.context)

    def snap(self, call: Call, problem: str) -> None:
        """Break a call: both ends hear of it, a little later."""
        self._break(call, WorkerLostError(f"{self.address}: {problem}"))

    def expire(self, call: Call) -> None:
        """The call's deadline has passed, for both ends."""
        self._break(call, ChunkAbortedError("the job's time was over", reason=JOB_OVERDUE))

    def _break(self, call: Call, error: ExecutorError) -> None:
        if call.is_broken or call.is_over:
            return
        call.is_broken = True
        self.calls.pop(call, None)
        machine = call.machine
        if machine is not None and machine.is_up:
            machine.lose(call)
        self.network.loop.call_later(
            self.network.latency_s(self.address), call.end, error, context=call.context
        )

    def snap_all(self, problem: str) -> None:
        for call in list(self.calls):
            self.snap(call, problem)

    def hang_up(self, call: Call) -> None:
        """The caller is through with the call."""
        if not call.answer.done():  # given up: the worker hears that its caller is gone, at most
            call.up(lambda machine: machine.lose(call))
        call.is_over = True
        self.calls.pop(call, None)


class FakeWorker:
    """What a coordinator's process, in its term, sees of the worker at an address."""

    def __init__(self, line: Line, *, term: int) -> None:
        self._line = line
        self._network = line.network
        self._term = term

    async def ask(self) -> WorkerReport:
        self._check_process()
        network, address = self._network, self._line.address
        await asyncio.sleep(network.latency_s(address))
        machine = network.reachable(self._line, "up")
        report = machine.report() if machine is not None else None
        await asyncio.sleep(network.latency_s(address))
        is_lost = network.chance.strikes("mislay", address) is not None
        if report is None and network.refuses(address):
            network.watch.silent(self._line)
            raise WorkerLostError(f"{address}: connection refused")
        if report is None or "down" in self._line.cut or is_lost:
            await asyncio.sleep(ASK_S)
            network.watch.silent(self._line)
            raise WorkerLostError(f"{address} gave no answer for {ASK_S:g} s")
        is_listed = network.is_listed(address)
        network.watch.reported(self._line, report, is_listed=is_listed)
        return report

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        self._check_process()
        self._network.watch.started(self._line, task)
        call = self._open(task, on_progress)
        call.up(lambda machine: machine.begin(task, call))
        if self._network.chance.strikes("twice", self._line.address) is not None:
            # The transport tried again by itself: the second try finds the first one there.
            text = "the same attempt runs here already"
            call.up(lambda machine: machine.lose(call))
            call.up(lambda _: call.fail(WorkerBusyError(text, reason=SUPERSEDED)))
        return await self._converse(call, output)

    async def attach(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        self._check_process()
        self._network.watch.attached(self._line, task)
        call = self._open(task, on_progress)
        call.up(lambda machine: machine.attach(task, call, caller_term=self._term))
        return await self._converse(call, output)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        del task
        return ProbeResult()

    async def end_job(self, job_id: str) -> None:
        self._check_process()
        network, address = self._network, self._line.address
        await asyncio.sleep(network.latency_s(address))
        if machine := network.reachable(self._line, "up"):
            machine.end_job(job_id, self._term)

    async def close(self) -> None:
        self._check_process()
        self._network.watch.silent(self._line)
        self._line.snap_all("closed")

    def _open(self, task: ChunkTask, on_progress: OnProgress) -> Call:
        line, network = self._line, self._network
        machine = network.machine(line.address)
        call = Call(
            line=line,
            machine=machine,
            task=task,
            on_progress=on_progress,
            answer=network.loop.create_future(),
            context=contextvars.copy_context(),
            left_s=self._left_s(task),
        )
        if call.left_s is not None:
            network.later(call.left_s, line.expire, call)
        line.calls[call] = None
        strikes = network.chance.strikes
        if strikes("refuse", line.address) is not None or network.refuses(line.address):
            line.snap(call, "connection refused")
        elif machine is None:
            network.later(CONNECT_S, line.snap, call, "no connection in time")
        elif (at := strikes("reset", line.address)) is not None:
            after_s = 2 * at * len(task.frames) * machine.spec.frame_s
            network.later(after_s, line.snap, call, "connection reset")
        return call

    async def _converse(self, call: Call, output: Path) -> ChunkResult:
        is_heard = False  # what is answered to an abort tells its caller nothing (WorkerCall)
        try:
            await asyncio.wait([call.answer])
            is_heard = True
        finally:
            try:
                if not call.answer.done():
                    call.up(lambda machine: machine.abort(call))
                    await asyncio.wait([call.answer], timeout=ABORT_GRACE_S)
            finally:
                self._line.hang_up(call)
                error = call.answer.exception() if call.answer.done() else None
                self._network.watch.ended(self._line, call.task, error, is_heard=is_heard)
        result = call.answer.result()
        content = chunk_content(call.task, result.fingerprint)
        if sha256_of(content) != result.sha256:
            content = forged_content(call.task, result.fingerprint)
        if not self._network.put_file(output, content):
            raise StorageFullError(f"{output.parent} is full: make room there")
        return result

    def _left_s(self, task: ChunkTask) -> float | None:
        if task.ends_at_s is None:
            return None
        return max(0.0, task.ends_at_s - self._network.loop.time())

    def _check_process(self) -> None:
        if self._network.is_closed_to(self._line.process):
            raise ProcessKilled
