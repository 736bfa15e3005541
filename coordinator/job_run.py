"""JobRun: a job that runs in this process, and how it ends: decided once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from executors.errors import ExecutorError, StaleTermError, StorageError
from executors.status import JOB_OVERDUE
from executors.storage import storing
from executors.tasks import task_group
from renderer.errors import RenderError

from .job import ChunkMoved, JobError, JobHeld, JobState, StateChanged
from .orchestrator import JobAbortedError
from .pump import Pump
from .queue import DEADLINE_EXCEEDED
from .seams import SeamMismatchError
from .stores.base import LostLeadershipError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .events import EventLog
    from .job import Event, Job, JobSpec, Output
    from .job_files import JobFiles
    from .planner import Plan

log = logging.getLogger(__name__)

# Of the second in which all of a job is to be gone.
_KEPT_WITHIN_S: Final = 0.3


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ends. QUEUED: it cannot go on now, for the reason of `stored`, and begins again."""

    state: JobState
    error: JobError | None = None
    output: Output | None = None
    stored: StorageError | None = None


class JobRun:
    """What one job does here, from its beginning to its verdict."""

    def __init__(
        self,
        job_id: str,
        events: EventLog,
        *,
        on_assembling: Callable[[], None],
        ends_at_s: float | None = None,
        last_attempt: int = 0,
    ) -> None:
        self.job_id = job_id
        self.pump = Pump(job_id, events)
        self.abort = asyncio.Event()
        self.stopped = asyncio.Event()  # nothing of it runs; what becomes of it may not be kept yet
        self.stopped.set()
        self.ended = asyncio.Event()
        self.verdict: Verdict | None = None
        self.is_paused = False
        self.last_attempt = last_attempt  # of all chunks, since this process has begun
        self._on_assembling = on_assembling
        self._ends_at_s = ends_at_s

    def decide(self, verdict: Verdict) -> bool:
        """The first verdict stands. Whether it is this one."""
        if self.verdict is not None:
            return False
        self.verdict = verdict
        return True

    def hear(self, event: Event) -> None:
        """Take in what happens to the job; once its end is decided, its state is not news."""
        if isinstance(event, StateChanged):
            if self.verdict is not None:
                return
            if event.state is JobState.ASSEMBLING:
                self._on_assembling()
        if isinstance(event, ChunkMoved):
            self.last_attempt = max(self.last_attempt, event.attempt)
        self.pump.put(event)

    async def tell(self, event: Event) -> None:
        """`hear`, and return when it is kept."""
        self.hear(event)
        await self.pump.flush()

    async def stop(self, error: JobError | None) -> None:
        """End for this cause, or as cancelled; return when nothing of it runs.

        That it is to end is kept before anything is stopped: a process that is killed between the
        two leaves a job that the next one does not take up again. A database that does not answer
        keeps nothing running, though: then it is stopped first, and kept when that can be.
        """
        end = JobState.FAILED if error else JobState.CANCELLED
        if self.decide(Verdict(end, error)):
            self.pump.put(StateChanged(JobState.ABORTING, error))
            # In a group: a coordinator that was followed is cut off here, and leaves no task.
            async with task_group() as group:
                keeping = group.create_task(self._keep_then_stop(), name=f"stop-{self.job_id}")
                try:
                    await asyncio.wait([keeping], timeout=_KEPT_WITHIN_S)
                finally:
                    self.abort.set()
        await self.ended.wait()

    async def _keep_then_stop(self) -> None:
        try:
            await self.pump.flush()
        finally:  # in the very step in which it is known to be kept: nothing more begins
            self.abort.set()

    async def render(self, job: Job, runner: JobRunner, files: JobFiles) -> None:
        """Render until there is a verdict, or, without one, until it is aborted.

        Raises:
            LostLeadershipError: another coordinator leads.

        """
        self.stopped.clear()
        try:
            plan = runner.plan(job.spec, job_id=job.id).ending_at(self._ends_at_s)
            plan = plan.counting_from(self.last_attempt + 1)
            target = files.output(job)
            with storing(target.parent):
                output = await runner.render(
                    plan,
                    target,
                    on_event=self.hear,
                    abort=self.abort,
                    chunks=files.chunks(job.id),
                    manifest=files.manifest(job),
                    pictures=files.pictures(job),
                )
        except JobAbortedError:
            return  # whoever set it has decided; or this process ends, and the next takes it up
        except StorageError as error:
            self.decide(Verdict(JobState.QUEUED, stored=error))
        except LostLeadershipError:
            raise
        except StaleTermError as error:  # a worker has heard of it first
            raise LostLeadershipError(str(error)) from error
        except Exception as error:
            if not isinstance(error, ExecutorError | RenderError | OSError):
                log.exception("job broke", extra={"job_id": job.id})
            self.decide(Verdict(JobState.FAILED, _cause(error, files.term)))
        else:
            output = replace(output, term=files.term)
            self.decide(Verdict(JobState.SUCCEEDED, output=output))
        finally:
            self.stopped.set()

    async def hold(self, error: StorageError, *, is_paused: bool) -> None:
        """Tell that the job waits for a place for what it renders."""
        if not is_paused:
            self.pump.put(StateChanged(JobState.QUEUED))
        self.pump.put(JobHeld(reason=error.reason, message=str(error)))
        await self.pump.flush()

    async def tell_end(self, verdict: Verdict) -> None:
        self.pump.put(StateChanged(verdict.state, verdict.error))
        await self.pump.flush(output=verdict.output)


def _cause(error: Exception, term: int) -> JobError:
    match error:
        case ExecutorError() if error.reason == JOB_OVERDUE:  # its worker has seen it first
            return JobError(reason=DEADLINE_EXCEEDED, message=str(error))
        case ExecutorError():
            pictures = error.pictures if isinstance(error, SeamMismatchError) else ()
            return JobError(
                reason=error.reason,
                message=str(error),
                detail=error.detail,
                chunk_index=error.chunk_index,
                pictures=pictures,
                term=term if pictures else 0,
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


def ended(job: Job, verdict: Verdict) -> Job:
    """The job as it is kept from now on, as far as its files go."""
    return replace(job, error=verdict.error, output=verdict.output)


def report_end(job: Job, verdict: Verdict) -> None:
    facts: dict[str, object] = {"job_id": job.id, "state": verdict.state}
    if verdict.error is not None:
        facts |= {"reason": verdict.error.reason, "error": verdict.error.message}
    log.info("job ended", extra=facts)
