"""Jobs over a store in memory and a runner that does as it is told: no disk, no processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from coordinator.artifacts.shelf import Shelf
from coordinator.events import EventLog
from coordinator.holds import Holds
from coordinator.job import (
    Event,
    Job,
    JobEvent,
    JobSpec,
    JobState,
    Output,
    StateChanged,
    changed,
)
from coordinator.job_files import FolderJobFiles
from coordinator.jobs import Jobs
from coordinator.orchestrator import JobAbortedError
from coordinator.patient_store import PatientStore
from coordinator.planner import Plan, plan
from coordinator.stores.base import JobNotFoundError, LostLeadershipError, StoreDownError

from .eventually import eventually

Outcome = Exception | Callable[[], Awaitable[object]]

VIDEO = Output(size_bytes=5, sha256="ab", frames=30, width_px=64, height_px=64)


@dataclass
class DictStore:
    """A JobStore in memory. `is_down` is for all calls; `calls` counts them by name."""

    jobs: dict[str, Job] = field(default_factory=dict)
    logs: dict[str, list[JobEvent]] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    is_down: bool = False
    is_led_by_another: bool = False

    async def begin_term(self) -> int:
        return 1

    async def check_lead(self) -> None:
        if self.is_led_by_another:
            raise LostLeadershipError("another coordinator leads")

    async def add(self, job: Job, *, request_id: str) -> Job:
        await self._call("add")
        job_id = self.requests.setdefault(request_id, job.id) if request_id else job.id
        self.logs.setdefault(job_id, [])
        return self.jobs.setdefault(job_id, job)

    async def made_by(self, request_id: str) -> Job | None:
        await self._call("made_by")
        job_id = self.requests.get(request_id)
        return None if job_id is None else self.jobs[job_id]

    async def get(self, job_id: str) -> Job:
        await self._call("get")
        if job_id not in self.jobs:
            raise JobNotFoundError(job_id)
        return self.jobs[job_id]

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        await self._call("page")
        if before and before not in self.jobs:
            raise JobNotFoundError(before)
        ids = [*self.jobs][::-1]
        start = ids.index(before) + 1 if before else 0
        return [self.jobs[job_id] for job_id in ids[start : start + size]]

    async def unfinished(self) -> Sequence[Job]:
        await self._call("unfinished")
        return [job for job in self.jobs.values() if not job.state.is_final]

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        await self._call("ended_before")
        ended = [(job.ended_at, job) for job in self.jobs.values() if job.ended_at]
        rows = sorted((row for row in ended if row[0] < at), key=lambda row: row[0])
        return [job for _, job in rows[:most]]

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        await self._call("append")
        if self.is_led_by_another:
            raise LostLeadershipError("another coordinator leads")
        log, job = self.logs[job_id], self.jobs[job_id]
        at = datetime.now(UTC)
        rows = [
            JobEvent(sequence=sequence, at=at, event=event)
            for sequence, event in enumerate(events, start=len(log) + 1)
        ]
        for row in rows:
            job = changed(job, row)
        self.jobs[job_id] = replace(job, output=output or job.output)
        log += rows
        return rows

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        await self._call("events")
        return self.logs[job_id][after : after + most]

    async def delete(self, job_id: str) -> None:
        await self.get(job_id)
        del self.jobs[job_id], self.logs[job_id]

    async def _call(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        await asyncio.sleep(0)
        if self.is_down:
            raise StoreDownError("the database is down: start it")


@dataclass
class ToldRunner:
    """Renders each job until it is told how that ends: `outcomes`, in order; else it waits.

    An outcome is an error, or what is awaited before the video is there. Each run tells `tells`.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    on_abort: Callable[[str], Awaitable[None]] | None = None
    running: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    tells: list[Event] = field(default_factory=list)

    def plan(self, spec: JobSpec, *, job_id: str) -> Plan:
        return plan(job_id, spec)

    async def render(
        self,
        plan: Plan,
        output: Path,
        *,
        on_event: Callable[[Event], None],
        abort: asyncio.Event | None,
        chunks: Path | None,
        manifest: Path | None,
        pictures: Path | None,
    ) -> Output:
        assert abort is not None
        assert chunks is not None
        self.begun.append(plan.job_id)
        self.plans.append(plan)
        for event in self.tells:
            on_event(event)
        self.running.append(plan.job_id)
        try:
            chunks.mkdir(parents=True, exist_ok=True)
            await self._rendered(plan.job_id, abort)
            on_event(StateChanged(JobState.ASSEMBLING))
            output.write_bytes(b"video")
            return VIDEO
        finally:
            self.running.remove(plan.job_id)

    async def _rendered(self, job_id: str, abort: asyncio.Event) -> None:
        outcomes = self.outcomes.setdefault(job_id, [])
        aborted = asyncio.create_task(abort.wait())
        while not outcomes and not aborted.done():
            await asyncio.wait({aborted}, timeout=0.005)
        if not outcomes:
            if self.on_abort:
                await self.on_abort(job_id)
            raise JobAbortedError(job_id)
        aborted.cancel()
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        await outcome()


@dataclass
class NotingPauser:
    """What an executor is told of pauses."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def pause_job(self, job_id: str) -> None:
        self.told.append(("pause", job_id))

    def resume_job(self, job_id: str) -> None:
        self.told.append(("resume", job_id))


@dataclass(kw_only=True)
class Desk:
    jobs: Jobs
    store: DictStore
    runner: ToldRunner
    pauser: NotingPauser
    holds: Holds
    events: EventLog
    folder: Path

    def tell(self, job_id: str, outcome: Outcome) -> None:
        self.runner.outcomes.setdefault(job_id, []).append(outcome)

    def succeed(self, job_id: str) -> None:
        self.tell(job_id, _at_once)

    def state(self, job_id: str) -> JobState:
        return self.store.jobs[job_id].state

    def states(self, job_id: str) -> list[JobState]:
        events = (row.event for row in self.store.logs[job_id])
        return [event.state for event in events if isinstance(event, StateChanged)]

    async def until(self, job_id: str, state: JobState) -> Job:
        await eventually(lambda: self.state(job_id) is state)
        return self.store.jobs[job_id]


async def _at_once() -> None:
    pass


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    store: DictStore | None = None,
    runner: ToldRunner | None = None,
    **options: Any,
) -> AsyncGenerator[Desk]:
    """Jobs at work; a `store` of an earlier desk makes it the next process."""
    store, runner = store or DictStore(), runner or ToldRunner()
    pauser, ids = NotingPauser(), count(len(store.jobs) + 1)
    holds = options.pop("holds", None) or Holds()
    patient = PatientStore(store, holds)
    events = EventLog(patient)
    wired: dict[str, Any] = {"most_running": 8, "utc_now": lambda: datetime.now(UTC)}
    jobs = Jobs(
        patient,
        events,
        runner,
        files=FolderJobFiles(options.pop("shelf", None) or Shelf(folder)),
        new_id=lambda: f"job{next(ids)}",
        holds=holds,
        pauser=pauser,
        **{**wired, **options},
    )
    async with jobs.working():
        yield Desk(
            jobs=jobs,
            store=store,
            runner=runner,
            pauser=pauser,
            holds=holds,
            events=events,
            folder=folder,
        )
