"""Fleet: the workers that exist now, and the queue for their slots."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from serving.channel import new_channel

from .balance import Wish, pick
from .errors import NoWorkerError
from .link import WorkerLink
from .tasks import task_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .discovery import Discovery

log = logging.getLogger(__name__)

REFRESH_S: Final = 1.0


@dataclass(eq=False, slots=True)
class _Waiter:
    wish: Wish
    granted: asyncio.Future[WorkerLink]
    hopeful_at_s: float = field(default_factory=time.monotonic)


class Fleet:
    """Grants slots of the workers that exist now, first come first served.

    A job stays with workers of one fingerprint, that of the first worker it was given, for as long
    as any of its chunks waits or runs: mixed browsers would show in the pictures.
    """

    def __init__(self, discovery: Discovery, *, worker_wait_s: float) -> None:
        self._discovery = discovery
        self._worker_wait_s = worker_wait_s
        self._links: dict[str, WorkerLink] = {}
        self._queue: dict[_Waiter, None] = {}  # a set in order of arrival
        self._jobs: dict[str, list[str]] = {}  # job → fingerprint, once for each chunk

    @property
    def links(self) -> list[WorkerLink]:
        return sorted(self._links.values(), key=lambda link: link.address)

    @asynccontextmanager
    async def lease(self, wish: Wish) -> AsyncGenerator[WorkerLink]:
        """Wait for a slot, and hold it for the block.

        Raises:
            NoWorkerError: for `worker_wait_s` there was no worker that could ever take the chunk.

        """
        link = await self._wait(wish)
        try:
            yield link
        finally:
            link.leased -= 1
            self._dispatch()

    @asynccontextmanager
    async def job(self, job_id: str) -> AsyncGenerator[None]:
        """Keep a job on one fingerprint while the block, one for each chunk, runs."""
        pins = self._jobs.setdefault(job_id, [])
        pins.append(pins[0] if pins else "")
        try:
            yield
        finally:
            pins.pop()
            if not pins:
                del self._jobs[job_id]

    async def end_job(self, job_id: str) -> None:
        """Tell the workers that had chunks of a job that no more will come."""
        async with task_group() as group:
            for link in self.links:
                group.create_task(link.end_job(job_id), name=f"end-job-{link.address}")

    async def keep_up(self) -> None:
        """Look for workers and ask them how they are, for ever. Someone must run this."""
        try:
            while True:
                await self._refresh()
                await asyncio.sleep(REFRESH_S)
        finally:
            for link in self.links:
                await link.close()

    async def _wait(self, wish: Wish) -> WorkerLink:
        waiter = _Waiter(wish, asyncio.get_running_loop().create_future())
        self._queue[waiter] = None
        self._dispatch()
        taken = False
        try:
            link = await waiter.granted
            taken = True
        finally:
            self._queue.pop(waiter, None)
            if not taken:
                self._give_back(waiter.granted)
        return link

    def _give_back(self, granted: asyncio.Future[WorkerLink]) -> None:
        """Whoever waited was cancelled, maybe in the moment of the grant: the slot stays ours."""
        if granted.done() and not granted.cancelled() and granted.exception() is None:
            granted.result().leased -= 1
            self._dispatch()

    def _dispatch(self) -> None:
        # Thousands may wait while a slot of another fingerprint is free: each fingerprint is
        # looked at once, and whoever was cancelled not at all.
        full: set[str | None] = set()
        for waiter in list(self._queue) if self._has_room() else ():
            fingerprint = self._fingerprint(waiter.wish.job_id)
            if waiter.granted.done() or fingerprint in full:
                continue
            if not self._grant(waiter, fingerprint):
                full.add(fingerprint)
            elif not self._has_room():
                return

    def _has_room(self) -> bool:
        return any(link.view(None).has_room for link in self._links.values())

    def _grant(self, waiter: _Waiter, fingerprint: str | None) -> bool:
        wish = waiter.wish
        views = (link.view(wish) for link in self._links.values())
        address = pick(views, fingerprint=fingerprint, avoid=wish.avoid)
        if address is None:
            return False
        link = self._links[address]
        link.leased += 1
        link.use_page(wish)
        if pins := self._jobs.get(wish.job_id):
            pins[:] = [link.said.fingerprint] * len(pins)
        del self._queue[waiter]
        waiter.granted.set_result(link)
        return True

    def _fingerprint(self, job_id: str) -> str | None:
        pins = self._jobs.get(job_id)
        return (pins[0] or None) if pins else None

    async def _refresh(self) -> None:
        await self._find()
        async with task_group() as group:
            for link in self.links:
                group.create_task(link.ask(), name=f"ask-{link.address}")
        self._dispatch()
        self._give_up_hopeless(time.monotonic())

    async def _find(self) -> None:
        try:
            addresses = await self._discovery.addresses()
        except OSError as error:
            log.warning("workers cannot be looked up", extra={"error": str(error)})
            return
        for address in addresses - self._links.keys():
            self._links[address] = WorkerLink(address, new_channel(address))
            log.info("worker found", extra={"worker": address})
        for link in self.links:
            # What still runs there goes on: a pod that leaves is first taken out of the name.
            link.gone = link.address not in addresses
            if link.gone and not link.leased:
                del self._links[link.address]
                await link.close()
                log.info("worker gone", extra={"worker": link.address})

    def _give_up_hopeless(self, now_s: float) -> None:
        for waiter in list(self._queue):
            if waiter.granted.done():  # cancelled a moment ago
                continue
            if self._may_be_served(waiter.wish):
                waiter.hopeful_at_s = now_s
            elif now_s - waiter.hopeful_at_s >= self._worker_wait_s:
                waiter.granted.set_exception(NoWorkerError(self._lament(waiter.wish)))
                del self._queue[waiter]

    def _may_be_served(self, wish: Wish) -> bool:
        fingerprint = self._fingerprint(wish.job_id)
        return any(
            link.is_serving and fingerprint in (None, link.said.fingerprint)
            for link in self._links.values()
        )

    def _lament(self, wish: Wish) -> str:
        known = "; ".join(
            f"{link.address}: {link.problem or link.unfit or 'draining, or of another fingerprint'}"
            for link in self.links
        )
        fingerprint = self._fingerprint(wish.job_id)
        of = f" of fingerprint {fingerprint}" if fingerprint else ""
        return f"no worker{of} could be reached for {self._worker_wait_s:g} s ({known or 'none'})"


@asynccontextmanager
async def open_fleet(discovery: Discovery, *, worker_wait_s: float) -> AsyncGenerator[Fleet]:
    """A fleet that keeps up with its workers until the block ends."""
    fleet = Fleet(discovery, worker_wait_s=worker_wait_s)
    async with task_group() as group:
        keeping_up = group.create_task(fleet.keep_up(), name="fleet")
        try:
            yield fleet
        finally:
            keeping_up.cancel()
