"""Roster: who the workers are, and the way to each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .errors import ExecutorError
from .scheduling.values import (
    Event,
    Surveyed,
    WorkerFound,
    WorkerLeft,
    WorkerSilent,
    WorkerTold,
)
from .tasks import task_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from .discovery import Discovery
    from .worker_port import Connect, WorkerPort

    Hear = Callable[[Event], None]

log = logging.getLogger(__name__)

LOOK_UP_S: Final = 1.0
ASK_S: Final = 1.0
# A coordinator that asks more often has no time left for chunks: a large fleet is asked less.
_ASKS_A_SECOND: Final = 200


@dataclass(eq=False, slots=True)
class _Known:
    address: str
    port: WorkerPort
    has_left: bool = False
    running: int = 0
    jobs: set[str] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    ask_now: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Task[None] | None = None


class Roster:
    """Looks for workers and asks each how it is; a scheduler hears of all."""

    def __init__(self, discovery: Discovery, connect: Connect) -> None:
        self._discovery = discovery
        self._connect = connect
        self._known: dict[str, _Known] = {}

    def port(self, address: str) -> WorkerPort:
        return self._known[address].port

    def send(self, address: str, job_id: str) -> None:
        """Note that an attempt of a job goes there."""
        self._known[address].running += 1
        self._known[address].jobs.add(job_id)

    def end(self, address: str) -> None:
        """Note that an attempt has ended there."""
        worker = self._known[address]
        worker.running -= 1
        self._drop_if_gone(worker)

    def look_at(self, address: str) -> None:
        """Something went wrong there: ask it now."""
        if worker := self._known.get(address):
            worker.ask_now.set()

    async def end_job(self, job_id: str) -> None:
        async with task_group() as group:
            for worker in self._known.values():
                if job_id in worker.jobs:
                    worker.jobs.discard(job_id)
                    group.create_task(worker.port.end_job(job_id), name=f"end-job-{worker.address}")

    async def keep_up(self, hear: Hear) -> None:
        """Keep up with discovery and with each worker, for ever."""
        async with task_group() as group:
            is_surveyed = False
            while True:
                is_told = await self._find(hear, group)
                if is_told and not is_surveyed:
                    for worker in tuple(self._known.values()):
                        await worker.asked.wait()
                    hear(Surveyed())
                    is_surveyed = True
                await asyncio.sleep(LOOK_UP_S)

    async def _find(self, hear: Hear, group: asyncio.TaskGroup) -> bool:
        """Meet who has come, and take leave of who has gone; False if nobody could tell."""
        try:
            addresses = await self._discovery.addresses()
        except OSError as error:
            log.warning("workers cannot be looked up", extra={"error": str(error)})
            return False
        for address in sorted(addresses):
            worker = self._known.get(address)
            if worker is None or worker.has_left:
                self._welcome(address, hear, group)
        for worker in tuple(self._known.values()):
            if worker.address not in addresses and not worker.has_left:
                # What still runs there goes on: a pod that leaves is first taken out of the name.
                worker.has_left = True
                hear(WorkerLeft(worker.address))
                self._drop_if_gone(worker)
        return True

    def _welcome(self, address: str, hear: Hear, group: asyncio.TaskGroup) -> None:
        worker = self._known.get(address)
        if worker is None:
            worker = self._known[address] = _Known(address, self._connect(address))
            worker.asking = group.create_task(self._ask(worker, hear), name=f"ask-{address}")
        worker.has_left = False
        hear(WorkerFound(address))
        log.info("worker found", extra={"worker": address})

    async def _ask(self, worker: _Known, hear: Hear) -> None:
        """Ask a worker how it is, for ever."""
        try:
            while True:
                was_lost = worker.ask_now.is_set()
                worker.ask_now.clear()
                if not await self._ask_once(worker, hear, may_be_wrong=was_lost):
                    continue
                worker.asked.set()
                await self._pause(worker)
        finally:
            await worker.port.close()

    async def _ask_once(self, worker: _Known, hear: Hear, *, may_be_wrong: bool) -> bool:
        """Ask a worker; False if that proves nothing.

        When an attempt is lost, a question before or after it may go down the same connection: it
        is asked again, before what runs there is given up.
        """
        try:
            report = await worker.port.ask()
        except ExecutorError as error:
            if may_be_wrong or worker.ask_now.is_set():
                return False
            hear(WorkerSilent(worker.address, str(error)))
        else:
            hear(WorkerTold(worker.address, report))
        return True

    async def _pause(self, worker: _Known) -> None:
        waiting = asyncio.create_task(worker.ask_now.wait(), name=f"look-at-{worker.address}")
        try:
            pause_s = max(ASK_S, len(self._known) / _ASKS_A_SECOND)
            await asyncio.wait([waiting], timeout=pause_s)
        finally:
            waiting.cancel()

    def _drop_if_gone(self, worker: _Known) -> None:
        if worker.has_left and not worker.running:
            del self._known[worker.address]
            if worker.asking is not None:
                worker.asking.cancel()
            log.info("worker gone", extra={"worker": worker.address})
