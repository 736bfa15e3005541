"""Jobs and their events ↔ protobuf messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from executors import wire
from executors.settings_wire import from_history, to_history
from protos.framefarm.v1 import coordinator_pb2 as pb

from .job import (
    ChunkMoved,
    ChunkState,
    Event,
    HistoryFound,
    Job,
    JobError,
    JobEvent,
    JobHeld,
    JobState,
    Output,
    PageLogged,
    ProgressMade,
    StateChanged,
    StoredFile,
    StoredOutput,
    StoredPicture,
)
from .spec_wire import from_spec, to_spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "from_event",
    "from_job",
    "from_job_event",
    "from_spec",
    "to_event",
    "to_job",
    "to_job_event",
    "to_spec",
]

_STATES = {
    JobState.QUEUED: pb.JOB_STATE_QUEUED,
    JobState.RENDERING: pb.JOB_STATE_RENDERING,
    JobState.PAUSED: pb.JOB_STATE_PAUSED,
    JobState.ASSEMBLING: pb.JOB_STATE_ASSEMBLING,
    JobState.ABORTING: pb.JOB_STATE_ABORTING,
    JobState.SUCCEEDED: pb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: pb.JOB_STATE_FAILED,
    JobState.CANCELLED: pb.JOB_STATE_CANCELLED,
}
_STATE_OF = {number: state for state, number in _STATES.items()}
_CHUNK_STATES = {
    ChunkState.RENDERING: pb.CHUNK_STATE_RENDERING,
    ChunkState.RENDERED: pb.CHUNK_STATE_RENDERED,
    ChunkState.REQUEUED: pb.CHUNK_STATE_REQUEUED,
}
_CHUNK_STATE_OF = {number: state for state, number in _CHUNK_STATES.items()}


def from_job(job: Job) -> pb.Job:
    return pb.Job(
        id=job.id,
        state=_STATES[job.state],
        spec=from_spec(job.spec),
        frames_done=job.frames_done,
        frames_total=job.spec.frames_total,
        create_time=_from_time(job.created_at),
        end_time=None if job.ended_at is None else _from_time(job.ended_at),
        error=None if job.error is None else _from_error(job.error),
        output=None if job.output is None else _from_output(job.output),
    )


def to_job(message: pb.Job) -> Job:
    return Job(
        id=message.id,
        state=_STATE_OF[message.state],
        spec=to_spec(message.spec),
        frames_done=message.frames_done,
        created_at=_to_time(message.create_time),
        ended_at=_to_time(message.end_time) if message.HasField("end_time") else None,
        error=_to_error(message.error) if message.HasField("error") else None,
        output=_to_output(message.output) if message.HasField("output") else None,
    )


def from_job_event(event: JobEvent) -> pb.JobEvent:
    message = from_event(event.event)
    message.sequence = event.sequence
    message.time.CopyFrom(_from_time(event.at))
    return message


def to_job_event(message: pb.JobEvent) -> JobEvent:
    return JobEvent(sequence=message.sequence, at=_to_time(message.time), event=to_event(message))


def from_event(event: Event) -> pb.JobEvent:
    """Write an event without its place in the log; the store keeps it in this form."""
    match event:
        case StateChanged(state, error):
            failed = None if error is None else _from_error(error)
            return pb.JobEvent(state_changed=pb.StateChanged(state=_STATES[state], error=failed))
        case ProgressMade(done, total):
            made = pb.ProgressMade(frames_done=done, frames_total=total)
            return pb.JobEvent(progress_made=made)
        case ChunkMoved():
            return pb.JobEvent(chunk_moved=_from_chunk_moved(event))
        case PageLogged():
            logged = pb.PageLogged(
                chunk_index=event.chunk_index, level=event.level, text=event.text
            )
            return pb.JobEvent(page_logged=logged)
        case HistoryFound(history, reason):
            known = pb.HistoryFound(history=from_history(history), reason=reason)
            return pb.JobEvent(history_found=known)
        case JobHeld():
            held = pb.JobHeld(reason=event.reason, message=event.message)
            return pb.JobEvent(job_held=held)


def to_event(message: pb.JobEvent) -> Event:
    kind = message.WhichOneof("event")
    if kind is None:
        raise ValueError("an event of a kind that this version does not know")
    return _EVENT_READERS[kind](getattr(message, kind))


def _to_state_changed(message: pb.StateChanged) -> StateChanged:
    error = _to_error(message.error) if message.HasField("error") else None
    return StateChanged(_STATE_OF[message.state], error)


def _to_progress_made(message: pb.ProgressMade) -> ProgressMade:
    return ProgressMade(message.frames_done, message.frames_total)


def _from_chunk_moved(event: ChunkMoved) -> pb.ChunkMoved:
    return pb.ChunkMoved(
        index=event.index,
        state=_CHUNK_STATES[event.state],
        frames=wire.from_frames(event.frames),
        worker=event.worker,
        attempt=event.attempt,
        reason=event.reason,
    )


def _to_chunk_moved(message: pb.ChunkMoved) -> ChunkMoved:
    return ChunkMoved(
        index=message.index,
        state=_CHUNK_STATE_OF[message.state],
        frames=wire.to_frames(message.frames),
        worker=message.worker,
        attempt=message.attempt,
        reason=message.reason,
    )


def _to_page_logged(message: pb.PageLogged) -> PageLogged:
    return PageLogged(chunk_index=message.chunk_index, level=message.level, text=message.text)


def _to_history_found(message: pb.HistoryFound) -> HistoryFound:
    return HistoryFound(to_history(message.history), message.reason)


def _to_job_held(message: pb.JobHeld) -> JobHeld:
    return JobHeld(reason=message.reason, message=message.message)


_EVENT_READERS: dict[str, Callable[[Any], Event]] = {
    "state_changed": _to_state_changed,
    "progress_made": _to_progress_made,
    "chunk_moved": _to_chunk_moved,
    "page_logged": _to_page_logged,
    "history_found": _to_history_found,
    "job_held": _to_job_held,
}


def _from_error(error: JobError) -> pb.JobError:
    return pb.JobError(
        reason=error.reason,
        message=error.message,
        detail=error.detail,
        chunk_index=error.chunk_index,
        pictures=[_from_picture(picture) for picture in error.pictures],
        term=error.term,
    )


def _to_error(message: pb.JobError) -> JobError:
    return JobError(
        reason=message.reason,
        message=message.message,
        detail=message.detail,
        chunk_index=message.chunk_index if message.HasField("chunk_index") else None,
        pictures=tuple(_to_picture(picture) for picture in message.pictures),
        term=message.term,
    )


def _from_picture(picture: StoredPicture) -> pb.StoredPicture:
    return pb.StoredPicture(name=picture.name, size_bytes=picture.size_bytes, sha256=picture.sha256)


def _to_picture(message: pb.StoredPicture) -> StoredPicture:
    return StoredPicture(name=message.name, size_bytes=message.size_bytes, sha256=message.sha256)


def _from_output(output: Output) -> pb.Output:
    return pb.Output(
        size_bytes=output.size_bytes,
        sha256=output.sha256,
        frames=output.frames,
        width_px=output.width_px,
        height_px=output.height_px,
        warnings=output.warnings,
        manifest=None if output.manifest is None else _from_file(output.manifest),
        files=[
            pb.StoredOutput(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in output.files
        ],
        term=output.term,
    )


def _to_output(message: pb.Output) -> Output:
    return Output(
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        frames=message.frames,
        width_px=message.width_px,
        height_px=message.height_px,
        warnings=tuple(message.warnings),
        manifest=_to_file(message.manifest) if message.HasField("manifest") else None,
        files=tuple(
            StoredOutput(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in message.files
        ),
        term=message.term,
    )


def _from_file(file: StoredFile) -> pb.StoredFile:
    return pb.StoredFile(size_bytes=file.size_bytes, sha256=file.sha256)


def _to_file(message: pb.StoredFile) -> StoredFile:
    return StoredFile(size_bytes=message.size_bytes, sha256=message.sha256)


def _from_time(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def _to_time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
