"""Jobs: the queue of a coordinator, and what runs of it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from executors.errors import ExecutorError
from executors.tasks import task_group
from renderer.errors import RenderError

from .job import Job, JobError, JobSpec, JobState, StateChanged
from .orchestrator import JobAbortedError
from .pump import Pump
from .seams import SeamMismatchError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime
    from pathlib import Path

    from .events import EventLog
    from .job import Event, Output
    from .job_files import JobFiles
    from .planner import Plan
    from .stores.base import JobStore

log = logging.getLogger(__name__)


class JobRunner(Protocol):
    """What renders a job: the RenderOrchestrator, which says what is promised."""

    def plan(self, spec: JobSpec, *, job_id: str) -> Plan: ...

    async def render(  # noqa: PLR0913  # one run, and each file of it has a place of its own
        self,
        plan: Plan,
        output: Path,
        *,
        on_event: Callable[[Event], None],
        abort: asyncio.Event | None,
        chunks: Path | None,
        manifest: Path | None,
        pictures: Path | None,
    ) -> Output: ...


@dataclass(eq=False, slots=True)
class _Run:
    """A job that waits or runs in this process."""

    job: Job
    abort: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Jobs:
    """Runs jobs, first come first served, so many at once.

    `files` holds the outputs and, while a job is not at its end, its finished chunks: a process
    that starts after this one was killed goes on with them.
    """

    def __init__(  # noqa: PLR0913  # wiring: each is one thing that jobs need
        self,
        store: JobStore,
        events: EventLog,
        runner: JobRunner,
        *,
        files: JobFiles,
        new_id: Callable[[], str],
        utc_now: Callable[[], datetime],
        most_running: int,
    ) -> None:
        self._store = store
        self._events = events
        self._runner = runner
        self._files = files
        self._new_id = new_id
        self._utc_now = utc_now
        self._most_running = most_running
        self._waiting: deque[_Run] = deque()
        self._running: dict[str, _Run] = {}
        self._adding: set[asyncio.Task[Job]] = set()
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Work on jobs while the block runs, first on those that an earlier process left.

        What runs when the block ends is stopped, and goes back into the queue of the next process.
        """
        left = await self._store.unfinished()
        await self._files.sweep({job.id for job in left})
        async with task_group() as group:
            self._group = group
            for job in left:
                if job.state is not JobState.QUEUED:
                    await self._events.append(job.id, [StateChanged(JobState.QUEUED)])
                self._enqueue(job)
            try:
                yield
            finally:
                if self._adding:
                    await asyncio.wait(self._adding)
                self._group = None
                for run in self._running.values():
                    run.abort.set()

    async def create(self, spec: JobSpec, *, request_id: str = "") -> Job:
        """Put a job into the queue, or return the one that `request_id` made before."""
        wish = Job(
            id=self._new_id(),
            state=JobState.QUEUED,
            spec=spec,
            frames_done=0,
            created_at=self._utc_now(),
        )
        # Whoever asks may leave at any moment, and a job that is kept but not queued would wait
        # for ever: what is begun here goes on.
        adding = asyncio.create_task(self._add(wish, request_id), name=f"add-job-{wish.id}")
        self._adding.add(adding)
        adding.add_done_callback(self._adding.discard)
        return await asyncio.shield(adding)

    async def cancel(self, job_id: str) -> Job:
        """Stop a job and return it when nothing of it runs any more."""
        await self._store.get(job_id)
        for run in self._waiting:
            if run.job.id == job_id:
                self._waiting.remove(run)
                await self._events.append(job_id, [StateChanged(JobState.CANCELLED)])
                await self._files.forget_chunks(job_id)
                return await self._store.get(job_id)
        if running := self._running.get(job_id):
            running.abort.set()
            await running.ended.wait()
        return await self._store.get(job_id)

    async def _add(self, wish: Job, request_id: str) -> Job:
        job = await self._store.add(wish, request_id=request_id)
        if job.id == wish.id:
            await self._events.append(job.id, [StateChanged(JobState.QUEUED)])
            self._enqueue(job)
        return job

    def _enqueue(self, job: Job) -> None:
        self._waiting.append(_Run(job))
        self._start()

    def _start(self) -> None:
        while self._group and self._waiting and len(self._running) < self._most_running:
            run = self._waiting.popleft()
            self._running[run.job.id] = run
            self._group.create_task(self._work(run), name=f"job-{run.job.id}")

    async def _work(self, run: _Run) -> None:
        pump = Pump(run.job.id, self._events)
        try:
            async with task_group() as group:
                pumping = group.create_task(pump.run(), name=f"pump-{run.job.id}")
                end, output = await self._end(run, pump)
                pumping.cancel()
            await pump.flush()
            if self._group is not None:  # else: this process ends, and the next one takes it up
                await self._events.append(run.job.id, [end], output=output)
                await self._files.forget_chunks(run.job.id)
                _report(run.job, end)
        finally:
            del self._running[run.job.id]
            run.ended.set()
            self._start()

    async def _end(self, run: _Run, pump: Pump) -> tuple[StateChanged, Output | None]:
        """Render the job, and say how it ended."""
        job = run.job
        try:
            pump.put(StateChanged(JobState.RENDERING))
            plan = self._runner.plan(job.spec, job_id=job.id).ending_at(job.ends_at)
            output = await self._runner.render(
                plan,
                self._files.output(job),
                on_event=pump.put,
                abort=run.abort,
                chunks=self._files.chunks(job.id),
                manifest=self._files.manifest(job.id),
                pictures=self._files.pictures(job.id),
            )
        except JobAbortedError:
            return StateChanged(JobState.CANCELLED), None
        except Exception as error:
            if not isinstance(error, ExecutorError | RenderError | OSError):
                log.exception("job broke", extra={"job_id": job.id})
            return StateChanged(JobState.FAILED, _cause(error)), None
        return StateChanged(JobState.SUCCEEDED), output


def _cause(error: Exception) -> JobError:
    match error:
        case ExecutorError():
            return JobError(
                reason=error.reason,
                message=str(error),
                detail=error.detail,
                chunk_index=error.chunk_index,
                pictures=error.pictures if isinstance(error, SeamMismatchError) else (),
            )
        case RenderError():
            return JobError(reason="ASSEMBLY", message=str(error))
        case OSError():
            return JobError(reason="STORAGE", message=f"the coordinator's disk: {error}")
        case _:
            return JobError(
                reason="INTERNAL",
                message=f"a fault in framefarm: {type(error).__name__}; the log has more",
            )


def _report(job: Job, end: StateChanged) -> None:
    facts: dict[str, object] = {"job_id": job.id, "state": end.state}
    if end.error is not None:
        facts |= {"reason": end.error.reason, "error": end.error.message}
    log.info("job ended", extra=facts)
