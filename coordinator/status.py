"""The coordinator's errors as gRPC statuses."""

from __future__ import annotations

from typing import Final

from grpc import StatusCode

from executors.status import BUNDLE_MISSING
from executors.status import status_of as executor_status_of
from serving.status import RichStatus

from .holds import STORAGE_FULL, STORE_DOWN, FarmHeldError
from .jobs import JobNeededError, JobNotEndedError, QueueFullError
from .leadership import StandbyError
from .stores.base import JobNotFoundError, LostLeadershipError, StoreDownError, StoreFullError
from .watchers import TooManyWatchersError, WatcherStalledError


class BundleNotUploadedError(Exception):
    """A job names a bundle that was never uploaded here."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"bundle {digest[:12]}… is not here: call UploadBundle")


class JobNotSucceededError(Exception):
    """The job has no output to download."""


class NoManifestError(Exception):
    """The job's video has no manifest: an older version rendered it."""


class NoPictureError(Exception):
    """The job's error names no such picture."""


class NoFileError(Exception):
    """The job has made no such file."""


_STATUSES: Final[dict[type[Exception], tuple[StatusCode, str]]] = {
    JobNotFoundError: (StatusCode.NOT_FOUND, "JOB_NOT_FOUND"),
    JobNotSucceededError: (StatusCode.FAILED_PRECONDITION, "JOB_NOT_SUCCEEDED"),
    NoPictureError: (StatusCode.NOT_FOUND, "NO_PICTURE"),
    NoFileError: (StatusCode.NOT_FOUND, "NO_FILE"),
    NoManifestError: (StatusCode.FAILED_PRECONDITION, "NO_MANIFEST"),
    JobNotEndedError: (StatusCode.FAILED_PRECONDITION, "JOB_RUNNING"),
    JobNeededError: (StatusCode.FAILED_PRECONDITION, "JOB_NEEDED"),
    QueueFullError: (StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
    TooManyWatchersError: (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS"),
    WatcherStalledError: (StatusCode.ABORTED, "WATCHER_STALLED"),
    StoreDownError: (StatusCode.UNAVAILABLE, STORE_DOWN),
    StoreFullError: (StatusCode.UNAVAILABLE, STORE_DOWN),
    StandbyError: (StatusCode.UNAVAILABLE, "STANDBY"),
    LostLeadershipError: (StatusCode.UNAVAILABLE, "STANDBY"),
    BundleNotUploadedError: (StatusCode.FAILED_PRECONDITION, BUNDLE_MISSING),
}


_RETRY_AFTER_S: Final[dict[type[Exception], float]] = {
    QueueFullError: 30.0,
    TooManyWatchersError: 10.0,
    WatcherStalledError: 1.0,
    StoreDownError: 5.0,
    StoreFullError: 5.0,
    StandbyError: 2.0,
    LostLeadershipError: 5.0,
}


def status_of(error: Exception) -> RichStatus | None:
    """What a coordinator answers for this error; None if it is none of ours."""
    if found := _STATUSES.get(type(error)):
        code, reason = found
        after_s = _RETRY_AFTER_S.get(type(error))
        return RichStatus(code=code, message=str(error), reason=reason, retry_after_s=after_s)
    if isinstance(error, FarmHeldError):
        return _held(error)
    return executor_status_of(error)


def _held(error: FarmHeldError) -> RichStatus:
    is_full = error.hold.reason == STORAGE_FULL  # until someone has made room
    return RichStatus(
        code=StatusCode.RESOURCE_EXHAUSTED if is_full else StatusCode.UNAVAILABLE,
        message=str(error),
        reason=error.hold.reason,
        retry_after_s=30.0 if is_full else 5.0,
    )
