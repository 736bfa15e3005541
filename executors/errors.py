"""Why a chunk could not be rendered.

ExecutorError
├── TaskRefusedError        the request is at fault                       fails the job
├── CompositionFailedError  the page is at fault                          fails the job
├── BundleAbsentError       the composition's files are not there         fails the job
├── NoWorkerError           no worker that could take it came in time     fails the job
├── ChunkAbortedError       someone stopped it on purpose                 –
├── StaleTermError          another coordinator leads: ours is to end     –
├── StorageError            no place here for what is rendered            by whoever runs the job
│   ├── StorageFullError    the disk is full                              when there is room
│   └── StorageDownError    the artifact store cannot be reached          when it can be
├── WorkerLostError         the worker went away: outcome unknown         again, an interruption
├── AttemptNotFoundError    the attempt is not there, or no more          again, an interruption
├── WorkerFullError         the worker's disk is full                     elsewhere, an interruption
├── WorkerBusyError         the worker has no free slot                   again, free
├── WorkerUnfitError        wrong version, wrong set-up, no tools         elsewhere, free
├── WorkerOutOfMemoryError  the page needs more memory than it could have again, with more room
├── ChunkStalledError       no frame for the watchdog's limit             again, an attempt
├── RenderCrashedError      the renderer broke                            again, an attempt
└── ChunkDamagedError       the bytes that came are not the bytes sent    again, an attempt

The error, not who catches it, knows what another attempt costs (`Retry`). The wire knows the same
tree as status codes: `executors.status`.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Retry(StrEnum):
    """What another attempt at the chunk would cost."""

    NEVER = "never"  # no attempt will do better: the job fails
    FREE = "free"  # nothing was tried
    INTERRUPTION = "interruption"  # not the chunk's fault; a generous budget
    MEMORY = "memory"  # the page is heavy: again, with more room
    ATTEMPT = "attempt"  # may be the chunk's fault; a small budget


class ExecutorError(Exception):
    """A chunk could not be rendered.

    `reason` is UPPER_SNAKE and stable, for programs; the message is for people; `detail` is long
    text that belongs to it, like a page's stack. The orchestrator adds whose chunk it was.
    """

    retry = Retry.NEVER
    chunk_index: int | None = None

    def __init__(self, message: str, *, reason: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.reason = reason or _upper_snake(type(self).__name__.removesuffix("Error"))
        self.detail = detail

    @property
    def retryable(self) -> bool:
        return self.retry is not Retry.NEVER


def _upper_snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


class TaskRefusedError(ExecutorError):
    """The request is at fault."""


class CompositionFailedError(ExecutorError):
    """The page is at fault: no other worker will do better."""


class BundleAbsentError(ExecutorError):
    """The composition's files are not where they are needed; upload them first."""


class NoWorkerError(ExecutorError):
    """No worker that could take the chunk came for as long as one may wait."""


class ChunkAbortedError(ExecutorError):
    """Someone stopped the chunk on purpose, and its work is gone."""


class StaleTermError(ExecutorError):
    """A later coordinator has taken the lead: whatever this one says counts no more.

    It is no fault of the chunk or of its job, which go on without this caller.
    """


class StorageError(ExecutorError):
    """What is rendered cannot be kept where it belongs: no worker's fault, and none can help.

    Nothing is lost by it: whoever runs the job tries again when there is a place.
    """


class StorageFullError(StorageError):
    """The disk is full."""


class StorageDownError(StorageError):
    """The artifact store cannot be reached, or refuses us."""


class WorkerLostError(ExecutorError):
    """The worker went away, or never answered: the outcome is unknown."""

    retry = Retry.INTERRUPTION


class AttemptNotFoundError(ExecutorError):
    """The attempt does not run there: it never did, or has ended and is not kept any more."""

    retry = Retry.INTERRUPTION


class WorkerFullError(ExecutorError):
    """The worker's disk is full."""

    retry = Retry.INTERRUPTION


class WorkerBusyError(ExecutorError):
    """The worker has no free slot."""

    retry = Retry.FREE


class WorkerUnfitError(ExecutorError):
    """This worker cannot render at all: wrong version, wrong set-up, no tools."""

    retry = Retry.FREE


class WorkerOutOfMemoryError(ExecutorError):
    """The kernel killed what rendered the chunk, for there was no memory left."""

    retry = Retry.MEMORY


class ChunkStalledError(ExecutorError):
    """The chunk gave no frame for the watchdog's limit."""

    retry = Retry.ATTEMPT


class RenderCrashedError(ExecutorError):
    """The renderer broke: Chromium or ffmpeg crashed, or a fault of ours."""

    retry = Retry.ATTEMPT


class ChunkDamagedError(ExecutorError):
    """The bytes that came are not the bytes that were sent."""

    retry = Retry.ATTEMPT
