"""The coordinator's errors as gRPC statuses."""

from __future__ import annotations

from typing import Final

from grpc import StatusCode

from executors.status import BUNDLE_MISSING
from executors.status import status_of as executor_status_of
from serving.status import RichStatus

from .leadership import StandbyError
from .stores.base import JobNotFoundError, LostLeadershipError, StoreDownError


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
    StoreDownError: (StatusCode.UNAVAILABLE, "STORE_DOWN"),
    StandbyError: (StatusCode.UNAVAILABLE, "STANDBY"),
    LostLeadershipError: (StatusCode.UNAVAILABLE, "STANDBY"),
    BundleNotUploadedError: (StatusCode.FAILED_PRECONDITION, BUNDLE_MISSING),
}


def status_of(error: Exception) -> RichStatus | None:
    """What a coordinator answers for this error; None if it is none of ours."""
    if found := _STATUSES.get(type(error)):
        code, reason = found
        return RichStatus(code=code, message=str(error), reason=reason)
    return executor_status_of(error)
