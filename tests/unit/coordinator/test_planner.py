from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.output_files import OutputFile
from coordinator.planner import default_chunk_frames, plan
from executors.base import Share
from renderer.encode.codec_facts import Codec
from renderer.frames import FrameRange
from renderer.settings import History
from tests.support.outputs import film, sound, still
from tests.support.tasks import a_spec


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
    made = plan("job", replace(a_spec(), share=share)).ending_at(12.5)

    assert [(task.share, task.ends_at_s) for task in made.tasks] == [(share, 12.5)] * 3


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


@pytest.mark.parametrize(
    ("outputs", "frames", "codec", "history"),
    [
        ([film("a.mp4")], [(0, 10), (10, 20), (20, 30)], Codec.H264, History.AUTO),
        ([film("a.gif"), sound("wav")], [(0, 10), (10, 20), (20, 30)], Codec.GIF, History.AUTO),
        (
            [film("a.mp4"), still("a.png", 3)],
            [(0, 10), (10, 20), (20, 30)],
            Codec.H264,
            History.AUTO,
        ),
        ([still("a.png", 9), still("b.png", 3)], [(3, 4), (9, 10)], Codec.H264, History.AUTO),
        ([sound("wav")], [(29, 30)], Codec.H264, History.STATEFUL),
        ([sound("wav"), still("a.png", 3)], [(3, 4), (29, 30)], Codec.H264, History.STATEFUL),
    ],
)
def test_only_what_the_files_need_is_rendered(
    outputs: list[OutputFile], frames: list[tuple[int, int]], codec: Codec, history: History
) -> None:
    spec = replace(a_spec(30), outputs=tuple(outputs))

    made = plan("job", spec)

    assert [(task.frames.start, task.frames.stop) for task in made.tasks] == frames
    assert [task.has_successor for task in made.tasks] == [True] * (len(frames) - 1) + [False]
    assert {task.settings.codec for task in made.tasks} == {codec}
    assert {task.settings.history for task in made.tasks} == {history}
    assert made.frames_total == spec.frames_total == sum(stop - start for start, stop in frames)


@pytest.mark.parametrize(
    ("outputs", "is_lossless"),
    [
        ([film("a.mp4"), film("a.mkv", codec=Codec.H264)], False),
        ([film("a.mp4"), sound("m4a")], False),
        ([film("a.gif"), film("a.apng")], False),  # whose chunks are the same
        ([film("a.mp4"), film("b.mp4", crf=30)], True),
        ([film("a.mp4"), film("a.webm")], True),
    ],
)
def test_chunks_are_kept_without_loss_where_one_kind_does_not_serve_all(
    outputs: list[OutputFile], *, is_lossless: bool
) -> None:
    made = plan("job", replace(a_spec(30), outputs=tuple(outputs)))

    assert {task.settings.lossless for task in made.tasks} == {is_lossless}
