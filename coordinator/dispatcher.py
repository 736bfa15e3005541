"""Dispatcher: carries out what the queue decides. Its runs are the jobs of this process."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from executors.tasks import task_group

from .holds import SHUTTING_DOWN, Hold
from .job import JobState, StateChanged
from .job_files import swept, tidy
from .job_run import JobRun, Verdict, ended, report_end
from .queue import JobQueue, Phase
from .queue_events import (
    Begin,
    Fail,
    FarmFreed,
    FarmHeld,
    JobAdded,
    JobAssembling,
    JobEnded,
    JobPaused,
    JobResumed,
    JobReturned,
    JobStopping,
    Ticked,
)
from .steady import SteadyTime
from .stores.base import JobNotFoundError, StoreDownError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from executors.base import JobPauser

    from .events import EventLog
    from .holds import Holds
    from .job import Job, JobError
    from .job_files import JobFiles
    from .job_run import JobRunner
    from .queue_events import Command, Event
    from .storage import StorageWatch
    from .stores.base import JobStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a dispatcher works with. `store` and `events` wait for a database that is down."""

    store: JobStore
    events: EventLog
    runner: JobRunner
    files: JobFiles
    utc_now: Callable[[], datetime]
    holds: Holds
    pauser: JobPauser | None
    storage: StorageWatch


class Dispatcher:
    """Runs jobs. `queue` is to be read; it is told of everything by `take`."""

    def __init__(self, ports: Ports, *, most_running: int) -> None:
        self.queue = JobQueue(most_running=most_running)
        self._ports = ports
        self._time = SteadyTime(ports.utc_now)
        self._runs: dict[str, JobRun] = {}
        self._attempts: dict[str, int] = {}  # the last, of jobs that are to go on here
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._group: asyncio.TaskGroup | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Work while the block runs, first on what an earlier process left.

        What runs when the block ends is stopped, and goes back into the queue of the next process.
        """
        async with task_group() as group:
            self._group = group
            try:
                self.take(FarmHeld())
                await self._take_up()
                watching = self._ports.storage.run()
                self._watching = group.create_task(watching, name="watch-storage")
                await self._ports.storage.look()  # before anything begins
                self._ports.holds.listen(self._on_holds)
                self._on_holds()
                yield
            finally:
                self._end_work()

    def take(self, event: Event) -> None:
        """Tell the queue what has happened, and do what it says."""
        for command in self.queue.step(event, self._time.now()):
            self._carry_out(command)
        self._set_timer()

    def run_of(self, job_id: str) -> JobRun | None:
        return self._runs.get(job_id)

    def lock(self, job_id: str) -> asyncio.Lock:
        """Who holds it writes to the log of a job that does not run."""
        return self._locks.setdefault(job_id, asyncio.Lock())

    async def add(self, job: Job) -> None:
        """Take a job into the queue."""
        added = JobAdded.of(job)
        if added.ends_at is not None:
            added = replace(added, ends_at=self._time.of(added.ends_at))
        self.take(added)
        for other in job.spec.after:
            state = await self._state(other)
            if state is None or state.is_final:
                self.take(JobEnded(other, state))

    async def pause(self, job_id: str) -> None:
        """Let no chunk of a job begin, nor the job. One that assembles or has ended goes on."""
        async with self.lock(job_id):
            if self.queue.phase(job_id) is Phase.PAUSED:
                return
            self.take(JobPaused(job_id))
            if self.queue.phase(job_id) is not Phase.PAUSED:
                return
            if run := self._runs.get(job_id):
                self._hold_back(run)
                await run.tell(StateChanged(JobState.PAUSED))
            else:
                await self._ports.events.append(job_id, [StateChanged(JobState.PAUSED)])

    async def resume(self, job_id: str) -> None:
        """Let a paused job go on: at once, if something of it ran when it was paused."""
        async with self.lock(job_id):
            if self.queue.phase(job_id) is not Phase.PAUSED:
                return
            if run := self._runs.get(job_id):
                self.take(JobResumed(job_id))
                self._let_go_on(run)
                await run.tell(StateChanged(JobState.RENDERING))
            else:
                await self._ports.events.append(job_id, [StateChanged(JobState.QUEUED)])
                self.take(JobResumed(job_id))

    async def stop(self, job_id: str, error: JobError | None) -> None:
        """End a job for this cause, or as cancelled; return when nothing of it runs.

        One that has ended, or ends for another cause, stays as it is.
        """
        self.take(JobStopping(job_id))
        while run := self._runs.get(job_id):
            self._hold_back(run)
            await run.stop(error)
        async with self.lock(job_id):
            if self.queue.phase(job_id) is not None:
                job = await self._ports.store.get(job_id)
                await self._end_at_rest(job, error)
                self.take(JobEnded(job_id, JobState.FAILED if error else JobState.CANCELLED))

    async def stopped(self, job_id: str) -> bool:
        """Return when nothing runs of a job that is to end; False for one that is not to."""
        if self.queue.phase(job_id) is not Phase.STOPPING:
            return False
        if run := self._runs.get(job_id):
            await run.stopped.wait()
        return True

    async def _take_up(self) -> None:
        left = await swept(self._ports.files, self._ports.store)
        for job in left:
            if job.state is JobState.ABORTING:
                await self._end_at_rest(job, job.error)
            elif job.state not in (JobState.QUEUED, JobState.PAUSED):
                await self._ports.events.append(job.id, [StateChanged(JobState.QUEUED)])
        for job in left:
            if job.state is not JobState.ABORTING:
                await self.add(job)

    async def _state(self, job_id: str) -> JobState | None:
        try:
            return (await self._ports.store.get(job_id)).state
        except JobNotFoundError:
            return None

    async def _end_at_rest(self, job: Job, error: JobError | None) -> None:
        """End a job of which nothing runs."""
        verdict = Verdict(JobState.FAILED if error else JobState.CANCELLED, error)
        self._attempts.pop(job.id, None)
        # Kept first: a coordinator that was followed may not, and the files may be the next one's.
        await self._ports.events.append(job.id, [StateChanged(verdict.state, error)])
        await tidy(self._ports.files, ended(job, verdict))
        report_end(job, verdict)

    def _on_holds(self) -> None:
        self.take(FarmHeld() if self._ports.holds.all else FarmFreed())

    def _end_work(self) -> None:
        self._ports.holds.put(Hold(SHUTTING_DOWN, "the coordinator is being stopped"))
        self._group = None
        if self._timer:
            self._timer.cancel()
        if self._watching:
            self._watching.cancel()
        for run in self._runs.values():
            run.abort.set()

    def _carry_out(self, command: Command) -> None:
        if self._group is None:  # this process ends, and the next one decides again
            return
        match command:
            case Begin(job_id):
                run = JobRun(
                    job_id,
                    self._ports.events,
                    on_assembling=lambda: self.take(JobAssembling(job_id)),
                    ends_at_s=self._ends_at_s(job_id),
                    last_attempt=self._attempts.pop(job_id, 0),
                )
                self._runs[job_id] = run
                run.pump.put(StateChanged(JobState.RENDERING))
                self._group.create_task(self._work(run), name=f"job-{job_id}")
            case Fail(job_id, error):
                self._group.create_task(self._fail(job_id, error), name=f"fail-{job_id}")

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._group and (end := self.queue.next_end):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._time.loop_s(end), self.take, Ticked())

    def _ends_at_s(self, job_id: str) -> float | None:
        ends_at = self.queue.ends_at(job_id)
        return None if ends_at is None else self._time.loop_s(ends_at)

    async def _fail(self, job_id: str, error: JobError) -> None:
        try:
            await self.stop(job_id, error)
        except StoreDownError as down:
            self._leave(job_id, down)

    async def _work(self, run: JobRun) -> None:
        after: Event | None = None
        try:
            job = await self._ports.store.get(run.job_id)
            async with task_group() as group:
                group.create_task(run.pump.run(), name=f"pump-{run.job_id}")
                await run.render(job, self._ports.runner, self._ports.files)
                if run.verdict and run.verdict.stored:  # now: the room that there was is known
                    await self._ports.storage.failed(run.verdict.stored)
                run.pump.end()
            if run.verdict:  # else: this process ends, and the next one takes it up
                after = await self._settled(run, job, run.verdict)
        except StoreDownError as error:
            self._leave(run.job_id, error)
        finally:
            del self._runs[run.job_id]
            self._let_go_on(run)
            run.ended.set()
            if after:
                self.take(after)

    async def _settled(self, run: JobRun, job: Job, verdict: Verdict) -> Event:
        """Keep how the run ended; what the queue is to know of it."""
        if verdict.stored:
            await run.hold(verdict.stored, is_paused=self.queue.phase(job.id) is Phase.PAUSED)
            self._attempts[job.id] = run.last_attempt  # no token is given twice
            return JobReturned(job.id)
        await run.tell_end(verdict)
        await tidy(self._ports.files, ended(job, verdict))
        report_end(job, verdict)
        return JobEnded(job.id, verdict.state)

    def _hold_back(self, run: JobRun) -> None:
        run.is_paused = True
        if self._ports.pauser:
            self._ports.pauser.pause_job(run.job_id)

    def _let_go_on(self, run: JobRun) -> None:
        if run.is_paused and self._ports.pauser:
            self._ports.pauser.resume_job(run.job_id)
        run.is_paused = False

    def _leave(self, job_id: str, error: StoreDownError) -> None:
        """Leave a job to the next process; the store waits for ever unless this one ends."""
        if not self._ports.holds.of(SHUTTING_DOWN):
            raise error
        log.warning("job left as it is: the database is down", extra={"job_id": job_id})
