"""Jobs: what users may ask of jobs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from renderer.errors import InvalidRequestError, Violation

from .dispatcher import Dispatcher, Ports
from .errands import Errands
from .holds import SHUTTING_DOWN, FarmHeldError, Hold, Holds
from .job import Job, JobState, StateChanged
from .settings import QueueLimits
from .storage import StorageRest
from .stores.base import JobNotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from datetime import datetime

    from executors.base import JobPauser

    from .events import EventLog
    from .job import JobSpec
    from .job_files import JobFiles
    from .job_run import JobRunner
    from .queue import JobQueue
    from .storage import StorageWatch
    from .stores.base import JobStore


class QueueFullError(Exception):
    """Too many jobs wait already."""


class JobNotEndedError(Exception):
    """Only a job that has ended can be deleted."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.state}: cancel it first, or wait for its end")


class JobNeededError(Exception):
    """Other jobs are to come after this one."""


class Jobs:
    """Runs jobs, so many at once, in the order of the `JobQueue`.

    `files` holds the outputs and, while a job is not at its end, its finished chunks: a process
    that starts after this one was killed goes on with them. `store` and `events` are to wait for
    a database that is down (PatientStore) and to put a hold meanwhile. Without a `pauser`, chunks
    of a paused job may begin.
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
        limits: QueueLimits | None = None,
        holds: Holds | None = None,
        pauser: JobPauser | None = None,
        storage: StorageWatch | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._events = events
        self._new_id = new_id
        self._utc_now = utc_now
        self._limits = limits or QueueLimits()
        self.holds = holds or Holds()
        ports = Ports(
            store=store,
            events=events,
            runner=runner,
            files=files,
            utc_now=utc_now,
            holds=self.holds,
            pauser=pauser,
            storage=storage or StorageRest(self.holds),
        )
        self._dispatcher = Dispatcher(ports, most_running=most_running)
        self._errands = Errands(self.holds)

    @property
    def queue(self) -> JobQueue:
        """To be read."""
        return self._dispatcher.queue

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Work on jobs while the block runs, first on those that an earlier process left.

        What runs when the block ends is stopped, and goes back into the queue of the next process.
        """
        async with self._dispatcher.working():
            try:
                yield
            finally:
                self.holds.put(Hold(SHUTTING_DOWN, "the coordinator is being stopped"))
                await self._errands.finished()

    async def create(self, spec: JobSpec, *, request_id: str = "") -> Job:
        """Put a job into the queue, or return the one that `request_id` made before.

        Raises:
            InvalidRequestError: it is to come after a job that is not known here.
            QueueFullError, FarmHeldError: not now.

        """
        if held := self.holds.all:
            raise FarmHeldError(held[0])
        self._check_room(spec.share.user)
        # Whoever asks may leave at any moment, and a job that is kept but not queued would wait
        # for ever: what is begun here goes on.
        return await self._errands.run(self._create(spec, request_id), name="create-job")

    async def cancel(self, job_id: str) -> Job:
        """Stop a job and return it when nothing of it runs any more, and that is kept.

        Raises:
            FarmHeldError: nothing of it runs any more, and that is kept when the database is back;
                or this coordinator ends, and the next one is to be asked.

        """
        stop = partial(self._dispatcher.stop, job_id, None)
        try:
            job = await self._ask(job_id, stop, name="cancel")
        except FarmHeldError as error:
            if not await self._dispatcher.stopped(job_id):
                raise
            told = f"nothing of job {job_id} runs any more, which is not kept yet"
            raise FarmHeldError(error.hold, told) from error
        if not job.state.is_final and (ending := self.holds.of(SHUTTING_DOWN)):
            raise FarmHeldError(ending, f"job {job_id} is {job.state}, and goes on")
        return job

    async def pause(self, job_id: str) -> Job:
        """Let no more of a job begin; what runs of it ends. One that assembles is let be."""
        return await self._ask(job_id, partial(self._dispatcher.pause, job_id), name="pause")

    async def resume(self, job_id: str) -> Job:
        """Let a paused job go on."""
        return await self._ask(job_id, partial(self._dispatcher.resume, job_id), name="resume")

    async def delete(self, job_id: str) -> None:
        """Forget a job that has ended, and all that is kept of it.

        Raises:
            JobNotEndedError: it has not.
            JobNeededError: jobs that have not ended are to come after it.

        """
        await self._errands.run(self._delete(job_id), name=f"delete-{job_id}")

    async def _ask(self, job_id: str, work: Callable[[], Awaitable[None]], *, name: str) -> Job:
        async def asked() -> Job:
            if self.queue.phase(job_id) is None:
                async with self._dispatcher.lock(job_id):  # it may be on its way into the queue
                    await self._store.get(job_id)  # is it known?
            await work()
            return await self._store.get(job_id)

        return await self._errands.run(asked(), name=f"{name}-{job_id}")

    def _check_room(self, user: str) -> None:
        most = self._limits.jobs
        if self.queue.queued >= most:
            raise QueueFullError(f"{most} jobs wait already; try again when some have begun")
        most = self._limits.jobs_a_user or most
        if self.queue.queued_by(user) >= most:
            whose = f"of user {user!r} " if user else ""
            raise QueueFullError(f"{most} jobs {whose}wait already; try again when some have begun")

    async def _create(self, spec: JobSpec, request_id: str) -> Job:
        await self._check_known(spec.after)
        wish = Job(
            id=self._new_id(),
            state=JobState.QUEUED,
            spec=spec,
            frames_done=0,
            created_at=self._utc_now(),
        )
        # From when it is kept others may ask for it: what they want of it waits for the queue.
        async with self._dispatcher.lock(wish.id):
            job = await self._store.add(wish, request_id=request_id)
            if job.id == wish.id:
                await self._events.append(job.id, [StateChanged(JobState.QUEUED)])
                await self._dispatcher.add(job)
        return job

    async def _check_known(self, job_ids: tuple[str, ...]) -> None:
        for job_id in job_ids:
            try:
                await self._store.get(job_id)
            except JobNotFoundError as error:
                raise InvalidRequestError([Violation("after", str(error))]) from error

    async def _delete(self, job_id: str) -> None:
        job = await self._store.get(job_id)
        if not job.state.is_final:
            raise JobNotEndedError(job)
        if run := self._dispatcher.run_of(job_id):  # it tidies up
            await run.ended.wait()
        if needed := self.queue.dependants(job_id):
            raise JobNeededError(
                f"job {needed[0]} is to come after job {job_id}: cancel that one first, or wait "
                "for its end"
            )
        async with self._dispatcher.lock(job_id):  # who has ended it may not know yet that it has
            # Files of a job that is known no more are swept some day; a job without its files lies.
            await self._store.delete(job_id)
        await self._files.delete(job_id)
