"""Fleet: the workers that exist now, and the attempts that run on them, as a scheduler decides."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .base import AttemptLost, AttemptStarted, ChunkEvent, Filmed, FramesDone
from .errors import ExecutorError, WorkerLostError
from .roster import Roster
from .scheduling.scheduler import Scheduler
from .scheduling.values import (
    Accept,
    Attach,
    ChunkFilmed,
    Command,
    Event,
    Fail,
    Failed,
    Gathered,
    JobPaused,
    JobResumed,
    Lose,
    Offered,
    Progressed,
    Start,
    Stop,
    Stopped,
    Succeeded,
    Ticked,
    Withdrawn,
)
from .tasks import task_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .discovery import Discovery
    from .orders import Order
    from .scheduling.values import Offer
    from .scheduling.worker import Worker
    from .worker_port import Connect, Token

T = TypeVar("T")

log = logging.getLogger(__name__)

TICK_S: Final = 0.5


@dataclass(eq=False, slots=True)
class _Open:
    """An order that is not over."""

    order: Order[Any]
    done: asyncio.Future[Any]
    attempts: dict[Token, asyncio.Task[None]] = field(default_factory=dict)
    accepted: Token | None = None

    async def idle(self) -> None:
        """Wait until no attempt at it runs."""
        # One that was cancelled before it began has not taken itself out.
        while running := [task for task in self.attempts.values() if not task.done()]:
            await asyncio.wait(running)


class Fleet:
    """Has orders carried out. What is decided is the scheduler's; here it is done."""

    def __init__(self, scheduler: Scheduler, roster: Roster, group: asyncio.TaskGroup) -> None:
        self._scheduler = scheduler
        self._roster = roster
        self._group = group
        self._open: dict[int, _Open] = {}
        self._numbers = count(1)
        self._gathers = False

    @property
    def workers(self) -> list[Worker]:
        """The workers as they stand, by address. To look at."""
        return sorted(self._scheduler.workers, key=lambda worker: worker.address)

    async def carry_out(self, order: Order[T]) -> T:
        """Have the order carried out by some worker, however often that has to be tried.

        Raises:
            ExecutorError: it cannot be done; nothing of it is left.

        """
        number = next(self._numbers)
        mine = self._open[number] = _Open(order, asyncio.get_running_loop().create_future())
        self._offer(order.offer(number))
        is_done = False
        try:
            result: T = await mine.done
            is_done = True
        finally:
            self.hear(Withdrawn(number))
            if not is_done:
                await mine.idle()
                # Nothing else is ours to remove: a coordinator that was followed and does not know
                # yet must leave alone what the next one has there.
                if mine.accepted is not None:
                    await order.undo()
            if not mine.done.cancelled():
                mine.done.exception()  # looked at, also where a cancellation was quicker
            self._forget(number)
        return result

    def pause_job(self, job_id: str) -> None:
        self.hear(JobPaused(job_id))

    def resume_job(self, job_id: str) -> None:
        self.hear(JobResumed(job_id))

    async def end_job(self, job_id: str) -> None:
        """Wait until nothing of a job runs, and tell the workers that had chunks of it."""
        self.hear(JobResumed(job_id))
        for mine in tuple(self._open.values()):
            if mine.order.task.job_id == job_id:
                await mine.idle()
        await self._roster.end_job(job_id)

    async def idle(self) -> None:
        """Wait until no attempt runs."""
        for mine in tuple(self._open.values()):
            await mine.idle()

    async def tick(self) -> None:
        """Tell the scheduler that time passes, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            self.hear(Ticked())

    def hear(self, event: Event) -> None:
        """Tell the scheduler, and do what it says."""
        for command in self._scheduler.step(event, asyncio.get_running_loop().time()):
            self._do(command)

    def _offer(self, offer: Offer) -> None:
        """Offer a chunk, together with all that are offered in this turn of the loop."""
        self.hear(Offered(offer))
        if not self._gathers:
            self._gathers = True
            asyncio.get_running_loop().call_soon(self._gathered)

    def _gathered(self) -> None:
        self._gathers = False
        self.hear(Gathered())

    def _do(self, command: Command) -> None:
        mine = self._open[command.number]
        match command:
            case Start(number, token, worker) | Attach(number, token, worker):
                self._roster.send(worker, mine.order.task.job_id)
                is_attached = isinstance(command, Attach)
                mine.attempts[token] = self._group.create_task(
                    self._attempt(number, token, worker, is_attached=is_attached),
                    name=f"attempt-{number}-{token.attempt}",
                )
                mine.order.on_progress(AttemptStarted(worker, token.attempt))
            case Stop(_, token, reason):
                log.info("attempt stopped", extra=_fields(mine, token) | {"reason": reason})
                # One that is cancelled before it began would not tell how it ended.
                asyncio.get_running_loop().call_soon(mine.attempts[token].cancel)
            case Accept(_, token):
                mine.accepted = token
            case Lose():
                self._tell_lost(mine, command)
            case Fail(_, error):
                _settle(mine, error)

    def _tell_lost(self, mine: _Open, lost: Lose) -> None:
        facts = {"worker": lost.worker, "reason": lost.error.reason}
        log.warning("attempt lost", extra=_fields(mine, lost.token) | facts)
        mine.order.on_progress(AttemptLost(lost.worker, lost.token.attempt, str(lost.error)))

    async def _attempt(self, number: int, token: Token, address: str, *, is_attached: bool) -> None:
        """Make an attempt, tell how it ended, and keep or remove what it made."""
        mine = self._open[number]
        event: Event = Stopped(number, token)
        result = None
        try:
            make = mine.order.attach if is_attached else mine.order.render
            result = await make(
                self._roster.port(address), token, self._teller(number, token, mine)
            )
            event = Succeeded(number, token)
        except ExecutorError as error:
            event = Failed(number, token, error)
            if isinstance(error, WorkerLostError):
                self._roster.look_at(address)
        except Exception as error:  # noqa: BLE001  # a fault of ours: whoever waits gets it
            _settle(mine, error)
        finally:
            self._roster.end(address)
            if result is None:  # nothing of it is left, and it may be taken up under its token
                del mine.attempts[token]
                self.hear(event)
            else:
                self.hear(event)
                await self._tidy(mine, token, result)
                del mine.attempts[token]
            self._forget(number)

    async def _tidy(self, mine: _Open, token: Token, result: object) -> None:
        if mine.accepted != token:
            await mine.order.discard(token)
            return
        try:
            await mine.order.accept(token)
        except OSError as error:
            _settle(mine, error)
        if not mine.done.done():
            mine.done.set_result(result)

    def _teller(self, number: int, token: Token, mine: _Open) -> Any:
        def hear(event: ChunkEvent) -> None:
            if isinstance(event, FramesDone):
                self.hear(Progressed(number, token, event.done))
            elif isinstance(event, Filmed):
                self.hear(ChunkFilmed(number, token))
            mine.order.on_progress(event)

        return hear

    def _forget(self, number: int) -> None:
        """Of an order that nobody waits for, nothing is kept once its last attempt has ended."""
        mine = self._open.get(number)
        if mine is not None and mine.done.done() and not mine.attempts:
            del self._open[number]


def _settle(mine: _Open, error: Exception) -> None:
    if not mine.done.done():
        mine.done.set_exception(error)


def _fields(mine: _Open, token: Token) -> dict[str, object]:
    task = mine.order.task
    return {"job_id": task.job_id, "chunk": task.index, "attempt": token.attempt}


@asynccontextmanager
async def open_fleet(
    discovery: Discovery,
    connect: Connect,
    *,
    worker_wait_s: float,
    term: int = 0,
    user_slots: int | None = None,
) -> AsyncGenerator[Fleet]:
    """A fleet that keeps up with its workers until the block ends."""
    scheduler = Scheduler(worker_wait_s=worker_wait_s, term=term, user_slots=user_slots)
    async with task_group() as keeping, task_group() as group:
        roster = Roster(discovery, connect)
        fleet = Fleet(scheduler, roster, group)
        tasks = [
            keeping.create_task(fleet.tick(), name="fleet-clock"),
            keeping.create_task(roster.keep_up(fleet.hear), name="fleet-roster"),
        ]
        try:
            yield fleet
        finally:
            await fleet.idle()
            for task in tasks:
                task.cancel()
