from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.planner import default_chunk_frames, plan
from executors.base import Share
from renderer.frames import FrameRange
from tests.support.tasks import a_spec

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(frames=st.integers(1, 5_000), chunk=st.integers(1, 600))
def test_chunks_of_a_given_length_cover_every_frame_once(frames: int, chunk: int) -> None:
    made = plan("job", a_spec(frames, chunk_frames=chunk))

    assert [n for task in made.tasks for n in task.frames] == list(range(frames))
    assert all(len(task.frames) == chunk for task in made.tasks[:-1])
    assert [task.index for task in made.tasks] == list(range(len(made.tasks)))


@given(frames=st.integers(1, 5_000), concurrency=st.integers(1, 64))
def test_concurrency_cuts_just_so_many_chunks_of_equal_length(
    frames: int, concurrency: int
) -> None:
    made = plan("job", a_spec(frames), concurrency=concurrency)
    lengths = [len(task.frames) for task in made.tasks]

    assert len(made.tasks) == min(concurrency, frames)
    assert [n for task in made.tasks for n in task.frames] == list(range(frames))
    assert max(lengths) - min(lengths) <= 1


def test_a_plan_is_a_function_of_the_job_alone() -> None:
    assert plan("job", a_spec(900)) == plan("job", a_spec(900))


def test_chunks_have_their_jobs_share_of_the_farm_and_its_end() -> None:
    share = Share(user="ann", priority=80)
    made = plan("job", replace(a_spec(), share=share)).ending_at(NOON)

    assert [(task.share, task.ends_at) for task in made.tasks] == [(share, NOON)] * 3


@pytest.mark.parametrize(
    ("frames", "chunk_frames"),
    [(1, 90), (1_440, 90), (1_441, 91), (3_840, 240), (1_000_000, 1_800)],
)
def test_the_default_chunk_length_goes_by_the_length_of_the_job(
    frames: int, chunk_frames: int
) -> None:
    assert default_chunk_frames(FrameRange(0, frames)) == chunk_frames


def test_no_concurrency_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        plan("job", a_spec(), concurrency=0)
