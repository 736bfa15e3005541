"""Chunk tasks and job specifications of small numbered pictures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from coordinator.job import Job, JobSpec, JobState
from executors.base import ChunkTask
from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry, Composition, PageUrl
from renderer.frames import FrameRange
from renderer.settings import RenderSettings

from .chunks import chunk_settings

PAGE = PageUrl("http://127.0.0.1:1/never-asked")


def numbered_settings(**props: object) -> RenderSettings:
    return chunk_settings(props_json=json.dumps(props))


def a_task(
    start: int = 0, stop: int = 10, *, composition: Composition = PAGE, **props: object
) -> ChunkTask:
    return ChunkTask(
        job_id="job",
        index=0,
        composition=composition,
        frames=FrameRange(start, stop),
        settings=numbered_settings(**props),
    )


def a_spec(
    frames: int = 30,
    *,
    chunk_frames: int | None = 10,
    composition: Composition = PAGE,
    **props: object,
) -> JobSpec:
    return JobSpec(
        composition=composition,
        settings=numbered_settings(**props),
        frames=FrameRange(0, frames),
        chunk_frames=chunk_frames,
    )


def a_job(state: JobState = JobState.QUEUED, job_id: str = "job") -> Job:
    now = datetime.now(UTC)
    return Job(id=job_id, state=state, spec=a_spec(), frames_done=0, created_at=now)


def a_bundle(store: BundleStore, folder: Path, text: str = "<h1>hello</h1>") -> BundleEntry:
    """A bundle of one page, in the store."""
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(text)
    return BundleEntry(store.add_folder(folder, manifest_of(folder)))
