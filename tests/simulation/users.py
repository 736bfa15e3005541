"""Users: they submit, try again, cancel, pause, watch, lose the line, and remember it all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from coordinator.holds import FarmHeldError
from coordinator.job import Job, JobEvent, StateChanged
from coordinator.jobs import JobNeededError
from coordinator.stores.base import JobNotFoundError, LostLeadershipError, StoreDownError
from renderer.errors import InvalidRequestError

from .chance import Chance
from .memory_store import Disk
from .network import Network
from .plans import JobPlan
from .reign import CutOffError, Reign, Throne

_AGAIN_S: Final = 0.7
# What the service answers UNAVAILABLE to, and a client tries again.
AGAIN: Final = (CutOffError, StoreDownError, LostLeadershipError, FarmHeldError)


@dataclass(eq=False, slots=True)
class User:
    """Wants one job, and follows it to its end."""

    plan: JobPlan
    throne: Throne
    network: Network
    disk: Disk
    chance: Chance
    number: int
    job_id: str = ""
    seen: list[JobEvent] = field(default_factory=list)
    others: list[User] = field(default_factory=list)  # whose jobs come before this one's
    submitted: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self) -> None:
        await asyncio.sleep(self.plan.at_s)
        for other in self.others:
            await other.submitted.wait()
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.copies):
                group.create_task(self._submit())
        self.submitted.set()
        if self.job_id:
            await self._live_with_job()
        self.over.set()

    async def _live_with_job(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            if self.plan.cancel_after_s is not None:
                group.create_task(self._cancel(self.plan.cancel_after_s))
            if self.plan.pauses:
                group.create_task(self._pause())
        if self.plan.delete_after_s is not None:
            await asyncio.sleep(self.plan.delete_after_s)
            await self._delete()

    async def _submit(self) -> None:
        after = tuple(dict.fromkeys(other.job_id for other in self.others if other.job_id))
        spec, request_id = replace(self.plan.spec, after=after), f"request-{self.number}"

        async def create(reign: Reign) -> Job:
            return await reign.jobs.create(spec, request_id=request_id)

        while True:
            try:
                job = await self.throne.ask(create)
                break
            except AGAIN:
                await asyncio.sleep(_AGAIN_S)
            except InvalidRequestError as error:
                if self.network.watch.gone.isdisjoint(after):
                    self.network.watch.broken("order", f"{request_id} is refused: {error}")
                return
        if self.job_id not in ("", job.id) and self.job_id not in self.network.watch.gone:
            self.network.watch.broken("kept", f"{request_id} made {self.job_id} and {job.id}")
        self.job_id = job.id

    async def _watch(self) -> None:
        while not self.is_over:
            try:
                await self.throne.ask(self._follow)
            except AGAIN:
                await asyncio.sleep(_AGAIN_S)
            except JobNotFoundError:
                self._check_gone()
                return

    async def _follow(self, reign: Reign) -> None:
        after = len(self.seen)
        draw = self.chance.named(f"watcher/{self.number}")
        async with aclosing(reign.events.watch(self.job_id, after=after)) as events:
            async for event in events:
                expected = len(self.seen) + 1
                if event.sequence != expected:
                    told = f"{self.job_id}: event {event.sequence} came, not {expected}"
                    self.network.watch.broken("sequence", told)
                self.seen.append(event)
                if draw.random() < 0.05:
                    return  # the line broke: the rest is asked for again, from here
                if draw.random() < 0.05:
                    await asyncio.sleep(3 * draw.random())  # a slow reader

    def _check_gone(self) -> None:
        if self.job_id not in self.network.watch.gone:
            self.network.watch.broken("kept", f"{self.job_id} was acknowledged, and is lost")

    @property
    def is_over(self) -> bool:
        if not self.seen:
            return False
        last = self.seen[-1].event
        return isinstance(last, StateChanged) and last.state.is_final

    async def _cancel(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.network.watch.cancels.add(self.job_id)

        async def cancel(reign: Reign) -> None:
            job = await reign.jobs.cancel(self.job_id)
            self.network.watch.cancelled(reign.process, job)

        await self._insist(cancel)

    async def _delete(self) -> None:
        self.network.watch.deletes.add(self.job_id)
        while True:
            try:
                return await self._insist(lambda reign: reign.jobs.delete(self.job_id))
            except JobNeededError:  # those that are to come after it end some day
                await asyncio.sleep(_AGAIN_S)

    async def _pause(self) -> None:
        async def pause(reign: Reign) -> None:
            await reign.jobs.pause(self.job_id)

        async def resume(reign: Reign) -> None:
            self.network.watch.resuming(self.job_id)
            await reign.jobs.resume(self.job_id)

        for after_s, for_s in self.plan.pauses:
            await asyncio.sleep(after_s)
            await self._insist(pause)
            await asyncio.sleep(for_s)
            await self._insist(resume)

    async def _insist(self, work: Callable[[Reign], Awaitable[None]]) -> None:
        while True:
            try:
                await self.throne.ask(work)
            except AGAIN:
                await asyncio.sleep(_AGAIN_S)
            except JobNotFoundError:
                return self._check_gone()
            else:
                return None
