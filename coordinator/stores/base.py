"""JobStore: the port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from coordinator.job import Event, Job, JobEvent, Output


class JobNotFoundError(Exception):
    """No job of this id is known here."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id} is known here")


class StoreDownError(Exception):
    """The store cannot be reached or written now; it may be later. The message says what to do.

    The store has tried for a while before it says so. What was asked may be kept or not; asked
    again with the same words, it is not done twice.
    """


class StoreFullError(StoreDownError):
    """There is no room for what is to be kept."""


class StoreUnfitError(Exception):
    """What is there cannot be used: damaged, in use, of another version. Says what to do."""


class LostLeadershipError(Exception):
    """A later coordinator leads: this one may not write any more, and has to end."""


class JobStore(Protocol):
    """Keeps jobs and their event logs. What a call has returned is kept.

    A call that is cancelled is carried out nevertheless, before those that are made after it.

    Raises:
        StoreDownError: from any call.
        LostLeadershipError: from a call that writes, after another coordinator's `begin_term`.

    """

    async def begin_term(self) -> int:
        """Count one more coordinator that begins to lead: from now on, this one writes."""
        ...

    async def check_lead(self) -> None:
        """LostLeadershipError if another one has begun to lead: before what only files can tell."""
        ...

    async def add(self, job: Job, *, request_id: str) -> Job:
        """Keep a new job; or return the one that the same `request_id`, if any, made before."""
        ...

    async def made_by(self, request_id: str) -> Job | None:
        """The job as it stands that this request made; None if it made none."""
        ...

    async def get(self, job_id: str) -> Job:
        """The job as it stands; JobNotFoundError if there is none."""
        ...

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        """Up to `size` jobs, newest first, from the one after the job `before` on.

        JobNotFoundError if there is no such job (any more).
        """
        ...

    async def unfinished(self) -> Sequence[Job]:
        """The jobs that have not ended, oldest first."""
        ...

    async def ended_before(self, at: datetime, *, most: int) -> Sequence[Job]:
        """Up to `most` jobs that ended before `at`, first those that ended first."""
        ...

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        """Add events to a job's log, and make the job what they say; all of it or nothing."""
        ...

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        """Up to `most` events of a job's log, from the one after sequence `after` on."""
        ...

    async def delete(self, job_id: str) -> None:
        """Forget a job and its events; JobNotFoundError if there is none."""
        ...
