"""What a job queue is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .job import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from .job import Job, JobError


# ── events ──


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAdded:
    """A job that has not ended. The oldest are added first.

    It comes `after` others: each of them that has ended already is told by a JobEnded of its own.
    """

    job_id: str
    user: str
    priority: int
    after: tuple[str, ...] = ()
    ends_at: datetime | None = None
    is_paused: bool = False

    @classmethod
    def of(cls, job: Job) -> JobAdded:
        share = job.spec.share
        return cls(
            job_id=job.id,
            user=share.user,
            priority=share.priority,
            after=job.spec.after,
            ends_at=job.ends_at,
            is_paused=job.state is JobState.PAUSED,
        )


@dataclass(frozen=True, slots=True)
class JobPaused:
    job_id: str


@dataclass(frozen=True, slots=True)
class JobResumed:
    job_id: str


@dataclass(frozen=True, slots=True)
class JobAssembling:
    """No chunk of it is missing any more."""

    job_id: str


@dataclass(frozen=True, slots=True)
class JobReturned:
    """It ran and cannot go on, through no fault of its own: it has its old place in line."""

    job_id: str


@dataclass(frozen=True, slots=True)
class JobStopping:
    """Someone has decided that it ends: it never begins again. Its JobEnded follows."""

    job_id: str


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job has its last state, or (None) is not known any more."""

    job_id: str
    state: JobState | None


@dataclass(frozen=True, slots=True)
class FarmHeld:
    """Nothing may begin."""


@dataclass(frozen=True, slots=True)
class FarmFreed:
    pass


@dataclass(frozen=True, slots=True)
class Ticked:
    """Some time has passed."""


Event = (
    JobAdded
    | JobPaused
    | JobResumed
    | JobAssembling
    | JobReturned
    | JobStopping
    | JobEnded
    | FarmHeld
    | FarmFreed
    | Ticked
)


# ── commands ──


@dataclass(frozen=True, slots=True)
class Begin:
    job_id: str


@dataclass(frozen=True, slots=True)
class Fail:
    """End the job for this cause, whether it runs or not."""

    job_id: str
    error: JobError


Command = Begin | Fail
