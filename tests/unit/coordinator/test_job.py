from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from coordinator import wire
from coordinator.job import (
    AudioTrack,
    ChunkMoved,
    ChunkState,
    Event,
    HistoryFound,
    IllegalTransitionError,
    Job,
    JobError,
    JobEvent,
    JobSpec,
    JobState,
    Output,
    PageLogged,
    ProgressMade,
    StateChanged,
    StoredPicture,
    changed,
)
from executors.base import Share
from renderer.composition import BundleEntry
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange, FrameRate
from renderer.settings import CaptureMode, History, RenderSettings
from tests.support.tasks import PAGE, a_spec

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
BUNDLE = BundleEntry("ab" * 32, "scenes/one.html")


def a_job(state: JobState = JobState.QUEUED) -> Job:
    return Job(id="j", state=state, spec=a_spec(), frames_done=0, created_at=NOW)


def after(job: Job, event: Event) -> Job:
    return changed(job, JobEvent(sequence=1, at=NOW, event=event))


def test_a_job_goes_from_the_queue_to_its_end() -> None:
    job = a_job()
    for state in (JobState.RENDERING, JobState.ASSEMBLING, JobState.SUCCEEDED):
        job = after(job, StateChanged(state))

    assert job.state is JobState.SUCCEEDED
    assert job.ended_at == NOW


@pytest.mark.parametrize("end", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_what_has_ended_never_changes(end: JobState) -> None:
    with pytest.raises(IllegalTransitionError):
        after(a_job(end), StateChanged(JobState.RENDERING))


def test_a_failed_job_keeps_its_cause() -> None:
    error = JobError(reason="PAGE_ERROR", message="boom", chunk_index=3)

    assert after(a_job(JobState.RENDERING), StateChanged(JobState.FAILED, error)).error == error


def test_a_job_that_is_queued_again_starts_at_no_frames() -> None:
    job = after(a_job(JobState.RENDERING), ProgressMade(12, 30))

    assert job.frames_done == 12
    assert after(job, StateChanged(JobState.QUEUED)).frames_done == 0


def test_a_specification_says_every_field_that_cannot_be() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        JobSpec(
            composition=PAGE,
            settings=RenderSettings(),
            frames=FrameRange(5, 5),
            chunk_frames=0,
            audio=(
                AudioTrack(source=BUNDLE, volume=-1),
                AudioTrack(source=BUNDLE, from_s=2, to_s=1),
            ),
            loudness_lufs=3,
            share=Share(user="a\nb", priority=101, weight=float("nan"), most_slots=0),
            after=("one", "one"),
            time_limit_s=0,
        )

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["frames", "chunk_frames", "audio[0].volume", "audio[1].to", "loudness"] + [
        "user", "priority", "weight", "most_slots", "after", "time_limit",
    ]  # fmt: skip


def test_a_specification_of_an_older_version_has_the_usual_share() -> None:
    message = wire.from_spec(replace(a_spec(), share=Share(user="ann", priority=7)))
    message.ClearField("share")

    assert wire.to_spec(message).share == Share(user="", priority=50, weight=1.0, most_slots=None)


def test_a_job_that_is_being_stopped_keeps_its_first_cause() -> None:
    first = JobError(reason="DEADLINE_EXCEEDED", message="its time is over")
    later = JobError(reason="WORKER_LOST", message="a consequence")
    job = after(a_job(JobState.RENDERING), StateChanged(JobState.ABORTING, first))

    assert after(job, StateChanged(JobState.FAILED, later)).error == first


def test_a_job_that_is_being_stopped_goes_on_to_no_other_state() -> None:
    job = after(a_job(JobState.PAUSED), StateChanged(JobState.ABORTING))

    for state in (JobState.QUEUED, JobState.RENDERING, JobState.ASSEMBLING, JobState.SUCCEEDED):
        with pytest.raises(IllegalTransitionError):
            after(job, StateChanged(state))


def test_a_jobs_time_runs_from_its_creation() -> None:
    job = replace(a_job(), spec=replace(a_spec(), time_limit_s=90.0))

    assert job.ends_at == NOW + timedelta(seconds=90)
    assert a_job().ends_at is None


def test_a_specification_survives_the_wire() -> None:
    spec = JobSpec(
        composition=BUNDLE,
        settings=RenderSettings(
            width_px=640,
            height_px=360,
            frame_rate=FrameRate(30000, 1001),
            mode=CaptureMode.CANVAS,
            canvas_selector="#stage",
            crf=0,
            preset="slow",
            gop_frames=12,
            encoder_threads=1,
            props_json='{"title": "Grüße"}',
            seed=2**62,
            stability_timeout_s=2.5,
        ),
        frames=FrameRange(100, 250),
        chunk_frames=7,
        audio=(
            AudioTrack(source=BUNDLE, offset_s=Fraction(-3, 2), volume=0.0),
            AudioTrack(
                source=BUNDLE,
                seek_s=1.5,
                fade_in_s=0.25,
                fade_out_s=2,
                loop=True,
                rate=1.1,
                from_s=0,
                to_s=20.125,
            ),
        ),
        loudness_lufs=-14.0,
        share=Share(user="ann", priority=0, weight=0.5, most_slots=3),
        after=("one", "two"),
        time_limit_s=0.25,
    )

    assert wire.to_spec(wire.from_spec(spec)) == spec


def test_a_job_survives_the_wire() -> None:
    job = Job(
        id="j",
        state=JobState.FAILED,
        spec=a_spec(),
        frames_done=3,
        created_at=NOW,
        ended_at=NOW,
        error=JobError(
            reason="PAGE_ERROR",
            message="boom",
            detail="stack",
            chunk_index=0,
            pictures=(StoredPicture(name="a.png", size_bytes=9, sha256="c" * 64),),
        ),
        output=Output(size_bytes=1, sha256="00", frames=30, width_px=2, height_px=2),
    )

    assert wire.to_job(wire.from_job(job)) == job


@pytest.mark.parametrize(
    "event",
    [
        StateChanged(JobState.RENDERING),
        StateChanged(JobState.FAILED, JobError(reason="R", message="m", chunk_index=0)),
        ProgressMade(1, 30),
        ChunkMoved(
            index=0,
            state=ChunkState.REQUEUED,
            frames=FrameRange(0, 10),
            worker="w:1",
            attempt=2,
            reason="gone",
        ),
        PageLogged(chunk_index=0, level="log", text="hello"),
        HistoryFound(History.STATEFUL, "frame 9 depends on the frames before it"),
    ],
)
def test_an_event_survives_the_wire(event: Event) -> None:
    row = JobEvent(sequence=7, at=NOW, event=event)

    assert wire.to_job_event(wire.from_job_event(row)) == row


def test_a_range_so_late_that_no_page_is_ever_played_up_to_it_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"start 4611686018427387904 is outside 0…"):
        replace(a_spec(), frames=FrameRange(1 << 62, (1 << 62) + 10))
