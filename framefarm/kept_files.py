"""What a farm keeps of a job for who asks: there, or why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from coordinator.job import JobState

from .errors import CallFailedError, JobCancelledError, JobFailedError

if TYPE_CHECKING:
    from coordinator.job import Job, Output, StoredFile


def output_of(job: Job) -> Output:
    if job.output is not None:
        return job.output
    if job.state is JobState.FAILED:
        raise JobFailedError(job)
    if job.state is JobState.CANCELLED:
        raise JobCancelledError(job)
    raise CallFailedError(
        f"job {job.id} is {job.state}, frame {job.frames_done} of {job.spec.frames_total}; "
        "its video is there when it has succeeded",
        status=grpc.StatusCode.FAILED_PRECONDITION.name,
        reason="JOB_NOT_SUCCEEDED",
    )


def manifest_of_frames(job: Job) -> StoredFile:
    manifest = output_of(job).manifest
    if manifest is None:
        raise CallFailedError(
            f"job {job.id} has no manifest: an older version rendered it; render it again",
            status=grpc.StatusCode.FAILED_PRECONDITION.name,
            reason="NO_MANIFEST",
        )
    return manifest
