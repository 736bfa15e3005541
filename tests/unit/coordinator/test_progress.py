from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.job import ProgressMade
from coordinator.planner import plan
from coordinator.progress import Progress
from tests.support.tasks import a_spec


def a_progress() -> Progress:
    return Progress(plan("job", a_spec(30, chunk_frames=10)))


def test_progress_counts_the_frames_of_all_chunks() -> None:
    progress = a_progress()

    assert progress.at(0, 4) == ProgressMade(4, 30)
    assert progress.at(2, 10) == ProgressMade(14, 30)


def test_a_chunk_that_starts_again_takes_nothing_back() -> None:
    progress = a_progress()
    progress.at(1, 7)

    assert progress.at(1, 0) is None
    assert progress.at(1, 5) is None
    assert progress.at(1, 8) == ProgressMade(8, 30)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 15))))
def test_progress_never_falls_and_ends_at_all_frames(steps: list[tuple[int, int]]) -> None:
    progress = a_progress()
    made = [progress.at(index, done) for index, done in steps]
    made += [progress.finished(index) for index in range(3)]
    told = [0, *(step.frames_done for step in made if step)]

    assert told == sorted(set(told))
    assert told[-1] == 30
