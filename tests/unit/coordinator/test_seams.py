from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.planner import plan
from coordinator.seams import Seam, SeamMismatchError, torn
from executors.base import ChunkResult
from tests.support.outputs import still
from tests.support.tasks import a_spec

TASKS = plan("job", a_spec(30)).tasks


def a_result(index: int, pictures: str, following: str) -> ChunkResult:
    """A chunk whose pictures, and the one after them, are letters."""
    return ChunkResult(
        index=index,
        frames=len(pictures),
        width_px=2,
        height_px=2,
        size_bytes=1,
        sha256="0",
        fingerprint="f",
        worker=f"worker-{index}",
        seconds=1.0,
        frame_digests=tuple(pictures),
        next_frame_digest=following,
    )


FITTING = {0: a_result(0, "ab", "c"), 1: a_result(1, "cd", "e"), 2: a_result(2, "ef", "")}


def torn_anywhere(results: dict[int, ChunkResult]) -> list[int]:
    """The first frames of chunks that do not go on where the one before them ended."""
    return [seam.frame for at in range(0, 3, 2) for seam in torn(TASKS, results, at=at)]


def test_chunks_that_go_on_where_the_last_one_ended_have_no_torn_seam() -> None:
    assert torn_anywhere(FITTING) == []


@pytest.mark.parametrize(
    ("index", "pictures", "following", "frames"),
    [
        (0, "ab", "x", [10]),
        (1, "xd", "e", [10]),
        (1, "xd", "x", [10, 20]),
        (2, "xf", "", [20]),
        (1, "cx", "e", []),  # not at a seam: nobody else has drawn it
    ],
)
def test_a_seam_is_torn_where_two_chunks_differ_in_a_frame(
    index: int, pictures: str, following: str, frames: list[int]
) -> None:
    results = FITTING | {index: a_result(index, pictures, following)}

    assert torn_anywhere(results) == frames


def test_a_chunk_without_digests_fits_to_any_other() -> None:
    blind = replace(FITTING[1], frame_digests=(), next_frame_digest="")

    assert torn_anywhere(FITTING | {1: blind}) == []


def test_one_chunk_has_no_seam() -> None:
    assert torn(plan("job", a_spec(10)).tasks, {0: FITTING[0]}, at=0) == []


def test_a_chunk_is_compared_with_both_neighbours_and_only_with_those_that_are_there() -> None:
    odd = a_result(1, "xd", "x")

    assert [seam.frame for seam in torn(TASKS, FITTING | {1: odd}, at=1)] == [10, 20]
    assert [seam.frame for seam in torn(TASKS, {1: odd, 2: FITTING[2]}, at=1)] == [20]
    assert torn(TASKS, {1: odd}, at=1) == []


def test_a_chunk_of_another_engine_tears_no_seam() -> None:
    other = replace(a_result(1, "xd", "x"), fingerprint="g")

    assert torn_anywhere(FITTING | {1: other}) == []


def test_a_mismatch_names_the_frame_both_chunks_and_both_workers() -> None:
    error = SeamMismatchError(Seam(frame=10, left=FITTING[0], right=FITTING[2]))

    assert error.reason == "SEAM_MISMATCH"
    assert not error.retryable
    assert error.chunk_index == 2
    for words in ("frame 10", "chunk 0 on worker-0", "chunk 2 on worker-2", "--stateful"):
        assert words in str(error)


def test_single_frames_have_no_seams_between_them() -> None:
    spec = replace(a_spec(30), outputs=(still("a.png", 3), still("b.png", 4), still("c.png", 9)))
    tasks = plan("job", spec).tasks
    results = {0: a_result(0, "a", "x"), 1: a_result(1, "b", "x"), 2: a_result(2, "c", "")}

    assert [seam.frame for seam in torn(tasks, results, at=1)] == [4]
