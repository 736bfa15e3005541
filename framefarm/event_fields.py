"""Jobs, events and workers as plain fields, for JSON. Names are the glossary's."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from coordinator.job import (
    ChunkMoved,
    HistoryFound,
    JobHeld,
    PageLogged,
    ProgressMade,
    StateChanged,
)

if TYPE_CHECKING:
    from coordinator.job import Event, Job, JobError, JobEvent
    from renderer.frames import FrameRange

    from .farm_status import FarmStatus
    from .farm_worker import FarmWorker

Fields = dict[str, object]


def event_fields(event: JobEvent) -> Fields:
    head: Fields = {"sequence": event.sequence, "time": event.at.isoformat()}
    return head | _event(event.event)


def job_fields(job: Job) -> Fields:
    settings = job.spec.settings
    return {
        "job_id": job.id,
        "state": job.state.value,
        "share": asdict(job.spec.share),
        "after": list(job.spec.after),
        "ends_at": None if job.ends_at is None else job.ends_at.isoformat(),
        "composition": str(job.spec.composition),
        "width_px": settings.width_px,
        "height_px": settings.height_px,
        "fps": str(settings.frame_rate),
        "frames": _frames(job.spec.frames),
        "frames_done": job.frames_done,
        "frames_total": job.spec.frames_total,
        "created_at": job.created_at.isoformat(),
        "ended_at": None if job.ended_at is None else job.ended_at.isoformat(),
        "error": _error(job.error),
        "output": None if job.output is None else asdict(job.output),
    }


def worker_fields(worker: FarmWorker) -> Fields:
    return {**asdict(worker), "state": worker.state.value}


def farm_fields(farm: FarmStatus) -> Fields:
    return {**asdict(farm), "state": farm.state.value}


def _event(event: Event) -> Fields:
    match event:
        case StateChanged(state, error):
            return {"event": "state_changed", "state": state.value, "error": _error(error)}
        case ProgressMade(done, total):
            return {"event": "progress_made", "frames_done": done, "frames_total": total}
        case ChunkMoved():
            plain: Fields = {"state": event.state.value, "frames": _frames(event.frames)}
            return {"event": "chunk_moved", **asdict(event), **plain}
        case PageLogged():
            return {"event": "page_logged", **asdict(event)}
        case HistoryFound(history, reason):
            return {"event": "history_found", "history": history.value, "reason": reason}
        case JobHeld():
            return {"event": "job_held", **asdict(event)}


def _error(error: JobError | None) -> Fields | None:
    return None if error is None else asdict(error)


def _frames(frames: FrameRange) -> list[int]:
    return [frames.start, frames.stop]
