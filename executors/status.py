"""Executor errors ↔ gRPC statuses: the contract between worker and coordinator, in two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grpc import StatusCode

from renderer.errors import InvalidRequestError
from serving.status import RichStatus, read

from .errors import (
    AttemptNotFoundError,
    BundleAbsentError,
    ChunkAbortedError,
    ChunkDamagedError,
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    NoWorkerError,
    RenderCrashedError,
    StaleTermError,
    StorageDownError,
    StorageError,
    StorageFullError,
    TaskRefusedError,
    WorkerBusyError,
    WorkerFullError,
    WorkerLostError,
    WorkerOutOfMemoryError,
    WorkerUnfitError,
)

if TYPE_CHECKING:
    import grpc.aio

_CODES: Final[dict[type[ExecutorError], StatusCode]] = {
    TaskRefusedError: StatusCode.INVALID_ARGUMENT,
    CompositionFailedError: StatusCode.FAILED_PRECONDITION,
    BundleAbsentError: StatusCode.FAILED_PRECONDITION,
    NoWorkerError: StatusCode.UNAVAILABLE,
    ChunkAbortedError: StatusCode.ABORTED,
    StaleTermError: StatusCode.ABORTED,
    AttemptNotFoundError: StatusCode.NOT_FOUND,
    WorkerOutOfMemoryError: StatusCode.RESOURCE_EXHAUSTED,
    StorageError: StatusCode.UNAVAILABLE,
    StorageFullError: StatusCode.RESOURCE_EXHAUSTED,
    StorageDownError: StatusCode.UNAVAILABLE,
    WorkerLostError: StatusCode.UNAVAILABLE,
    WorkerFullError: StatusCode.RESOURCE_EXHAUSTED,
    WorkerBusyError: StatusCode.RESOURCE_EXHAUSTED,
    WorkerUnfitError: StatusCode.FAILED_PRECONDITION,
    ChunkStalledError: StatusCode.DEADLINE_EXCEEDED,
    RenderCrashedError: StatusCode.INTERNAL,
    ChunkDamagedError: StatusCode.DATA_LOSS,
}

BUNDLE_MISSING: Final = "BUNDLE_MISSING"
MISSING_TOOL: Final = "MISSING_TOOL"
SLOTS_FULL: Final = "SLOTS_FULL"
STORAGE_FULL: Final = "STORAGE_FULL"
ABORTED: Final = "ABORTED"
DRAINING: Final = "DRAINING"
SUPERSEDED: Final = "SUPERSEDED"
STALE_TERM: Final = "STALE_TERM"
TAKEN_OVER: Final = "TAKEN_OVER"
ATTEMPT_NOT_FOUND: Final = "ATTEMPT_NOT_FOUND"
ABANDONED: Final = "ABANDONED"
JOB_OVERDUE: Final = "JOB_OVERDUE"
OUT_OF_MEMORY: Final = "OUT_OF_MEMORY"
INVALID_REQUEST: Final = "INVALID_REQUEST"

# Reasons to give a call up on purpose, whatever class of error brings them.
_ON_PURPOSE: Final = frozenset({DRAINING, TAKEN_OVER})

_BY_REASON: Final[dict[tuple[StatusCode, str], type[ExecutorError]]] = {
    (StatusCode.FAILED_PRECONDITION, BUNDLE_MISSING): BundleAbsentError,
    (StatusCode.FAILED_PRECONDITION, MISSING_TOOL): WorkerUnfitError,
    (StatusCode.RESOURCE_EXHAUSTED, SLOTS_FULL): WorkerBusyError,
    (StatusCode.RESOURCE_EXHAUSTED, STORAGE_FULL): WorkerFullError,
    (StatusCode.ABORTED, DRAINING): WorkerBusyError,
    # What runs there was begun by a coordinator that was killed, or over a connection that broke:
    # ours comes to a higher number and takes its place.
    (StatusCode.ABORTED, SUPERSEDED): WorkerBusyError,
    (StatusCode.ABORTED, STALE_TERM): StaleTermError,
    (StatusCode.ABORTED, TAKEN_OVER): WorkerLostError,
    (StatusCode.NOT_FOUND, ATTEMPT_NOT_FOUND): AttemptNotFoundError,
    (StatusCode.RESOURCE_EXHAUSTED, OUT_OF_MEMORY): WorkerOutOfMemoryError,
    # Without a reason of ours the gRPC library said it: the connection broke under a write.
    (StatusCode.INTERNAL, ""): WorkerLostError,
}

# What a code means when its reason says no more, or when the gRPC library or a proxy said it.
_BY_CODE: Final[dict[StatusCode, type[ExecutorError]]] = {
    StatusCode.INVALID_ARGUMENT: TaskRefusedError,
    StatusCode.OUT_OF_RANGE: TaskRefusedError,
    StatusCode.FAILED_PRECONDITION: CompositionFailedError,
    StatusCode.ABORTED: ChunkAbortedError,
    StatusCode.UNAVAILABLE: WorkerLostError,
    StatusCode.CANCELLED: WorkerLostError,
    StatusCode.NOT_FOUND: WorkerLostError,
    StatusCode.DEADLINE_EXCEEDED: ChunkStalledError,
    StatusCode.DATA_LOSS: ChunkDamagedError,
    StatusCode.UNIMPLEMENTED: WorkerUnfitError,
    StatusCode.UNAUTHENTICATED: WorkerUnfitError,
    StatusCode.PERMISSION_DENIED: WorkerUnfitError,
}

_RETRY_AFTER_S: Final[dict[type[ExecutorError], float]] = {
    WorkerBusyError: 0.5,
    WorkerFullError: 10.0,
    StorageFullError: 30.0,  # someone has to make room
    StorageDownError: 10.0,
}


def status_of(error: Exception) -> RichStatus | None:
    """What a worker answers for this error; None if it is none of ours."""
    if isinstance(error, InvalidRequestError):
        return RichStatus(
            code=StatusCode.INVALID_ARGUMENT,
            message=str(error),
            reason=INVALID_REQUEST,
            violations=tuple((row.field, row.problem) for row in error.violations),
        )
    if isinstance(error, ExecutorError):
        return RichStatus(
            code=StatusCode.ABORTED if error.reason in _ON_PURPOSE else _CODES[type(error)],
            message=str(error),
            reason=error.reason,
            detail=error.detail,
            retry_after_s=_RETRY_AFTER_S.get(type(error)),
        )
    return None


def error_of(call_error: grpc.aio.AioRpcError) -> ExecutorError:
    """What a worker's answer means to an executor."""
    status = read(call_error)
    kind = _BY_REASON.get((status.code, status.reason)) or _BY_CODE.get(
        status.code, RenderCrashedError
    )
    return kind(status.message, reason=status.reason or status.code.name, detail=status.detail)
