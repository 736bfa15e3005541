"""What can go wrong between a user and a farm.

FarmError
├── FarmUnreachableError      nobody answers at the farm's address
├── RequestRefusedError       the coordinator refused the request; says which fields, and why
├── NoSuchJobError            the coordinator knows no job of that name
├── JobFailedError            the job ended: the page's or the farm's fault, told by `job.error`
├── JobCancelledError         the job ended: somebody cancelled it
├── DownloadDamagedError      the bytes that came are not the bytes the job promised
├── ServiceNotStartedError    a coordinator or worker of a local farm did not start
└── CallFailedError           the coordinator answered with another error

A request that is found wrong before anything is asked is renderer's InvalidRequestError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from coordinator.job import Job
    from renderer.errors import Violation


class FarmError(Exception):
    """A farm could not do what was asked of it."""


class FarmUnreachableError(FarmError):
    """Nobody answers at the farm's address."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"no coordinator answers at {address} ({why}); is it running, and is the address right?"
        )
        self.address = address
        self.why = why


class RequestRefusedError(FarmError):
    """The coordinator refused the request: `violations` names each field, and the remedy."""

    def __init__(self, message: str, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(map(str, self.violations)) or message)


class NoSuchJobError(FarmError):
    """The coordinator knows no job of that name."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the farm knows no job {job_id!r}; `framefarm jobs` lists those it knows")
        self.job_id = job_id


class JobFailedError(FarmError):
    """The job failed; `job.error` holds the root cause.

    When that is a fault of framefarm's own on a local farm, `service_log` is what its services
    logged last: their files go with the farm. `pictures` are files that show it, where a folder
    was named for them.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job.error.message if job.error else f"job {job.id} failed")
        self.job = job
        self.service_log = ""
        self.pictures: tuple[Path, ...] = ()

    @property
    def is_internal(self) -> bool:
        return self.job.error is not None and self.job.error.reason == "INTERNAL"


class JobCancelledError(FarmError):
    """The job was cancelled."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} was cancelled")
        self.job = job


class DownloadDamagedError(FarmError):
    """The bytes that came are not the bytes the job promised."""


class ServiceNotStartedError(FarmError):
    """A coordinator or worker of a local farm did not start; `log` is the end of its log."""

    def __init__(self, name: str, why: str, log: str) -> None:
        told = f"; the end of its log:\n{log}" if log else "; it logged nothing"
        super().__init__(f"the local farm's {name} did not start: {why}{told}")
        self.name = name
        self.log = log


class CallFailedError(FarmError):
    """The coordinator answered with an error; `reason` is stable, for programs."""

    def __init__(self, message: str, *, status: str, reason: str = "") -> None:
        super().__init__(f"{message} ({reason or status})")
        self.status = status
        self.reason = reason
