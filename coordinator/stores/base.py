"""JobStore: the port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.job import Event, Job, JobEvent, Output


class JobNotFoundError(Exception):
    """No job of this id is known here."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id} is known here")


class JobStore(Protocol):
    """Keeps jobs and their event logs. What a call has returned is kept.

    A call that is cancelled is carried out nevertheless, before those that are made after it.
    """

    async def add(self, job: Job, *, request_id: str) -> Job:
        """Keep a new job; or return the one that the same `request_id`, if any, made before."""
        ...

    async def get(self, job_id: str) -> Job:
        """The job as it stands; JobNotFoundError if there is none."""
        ...

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        """Up to `size` jobs, newest first, from the one after the job `before` on."""
        ...

    async def unfinished(self) -> Sequence[Job]:
        """The jobs that have not ended, oldest first."""
        ...

    async def append(
        self, job_id: str, events: Sequence[Event], *, output: Output | None = None
    ) -> Sequence[JobEvent]:
        """Add events to a job's log, and make the job what they say; all of it or nothing."""
        ...

    async def events(self, job_id: str, *, after: int, most: int) -> Sequence[JobEvent]:
        """Up to `most` events of a job's log, from the one after sequence `after` on."""
        ...
