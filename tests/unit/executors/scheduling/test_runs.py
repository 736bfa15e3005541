"""Where in its job a worker begins, so that its page goes on from chunk to chunk."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from executors.base import Share, WarmPage
from executors.errors import WorkerLostError
from executors.scheduling.values import Accept, Start, WorkerSilent
from tests.support.scheduling import Scene


def a_job(chunks: int, *, among: int, **offer: Any) -> Scene:
    """A job of chunks 0, 1, ... and workers of one slot, "a", "b", ..., that come when it waits."""
    scene = Scene()
    for index in range(chunks):
        scene.offer("job", index, is_all=False, **offer)
    scene.workers(*"abcdefgh"[:among], slots=1)
    return scene


def goes_on(scene: Scene, worker: str) -> int:
    """The worker ends its chunk; which one it gets then."""
    (start,) = [each for each in running(scene) if each.worker == worker]
    scene.succeed(start)
    scene.withdraw(start.number)
    (start,) = [each for each in running(scene) if each.worker == worker]
    return start.number - 1


def running(scene: Scene) -> list[Start]:
    done = {accept.number for accept in scene.all(Accept)}
    starts = {start.worker: start for start in scene.all(Start)}
    return [start for start in starts.values() if start.number not in done]


def begun(scene: Scene) -> dict[str, list[int]]:
    """The chunks of each worker, as they began."""
    found: dict[str, list[int]] = {}
    for start in scene.all(Start):
        found.setdefault(start.worker, []).append(start.number - 1)
    return found


def test_a_worker_goes_on_with_the_chunk_that_follows() -> None:
    scene = a_job(16, among=2)

    taken = [goes_on(scene, "a"), goes_on(scene, "a"), goes_on(scene, "a")]

    assert taken == [1, 2, 3]


def test_a_second_worker_begins_some_chunks_further_on() -> None:
    scene = a_job(16, among=2)

    assert begun(scene) == {"a": [0], "b": [4]}


def test_workers_of_one_pace_begin_anew_in_a_few_chunks_only() -> None:
    scene = a_job(40, among=2)
    for _ in range(18):
        for worker in "ab":
            goes_on(scene, worker)

    jumps = [
        (before, after)
        for chunks in begun(scene).values()
        for before, after in pairwise(chunks)
        if after != before + 1
    ]
    assert len(jumps) <= 6
    assert all(after > before for before, after in jumps)  # no page has to go back


def test_a_run_whose_worker_is_gone_is_taken_up_before_anything_further_on() -> None:
    scene = a_job(40, among=3)
    before = begun(scene)
    (lost,) = [start for start in running(scene) if start.worker == "a"]
    scene.hear(WorkerSilent("a", "UNAVAILABLE"))
    scene.fail(lost, WorkerLostError("connection reset"))
    scene.wait(3.0)  # it is not there again in time

    assert goes_on(scene, "b") == 0  # it was interrupted, and goes before all others
    assert goes_on(scene, "c") == before["c"][0] + 1
    assert goes_on(scene, "b") == 1


def test_a_worker_goes_on_as_soon_as_its_chunk_is_filmed() -> None:
    scene = a_job(16, among=2)
    (start,) = [each for each in running(scene) if each.worker == "a"]

    scene.film(start)

    assert begun(scene) == {"a": [0, 1], "b": [4]}


def test_a_run_is_taken_up_whose_worker_turns_to_another_job_when_its_chunk_is_filmed() -> None:
    scene = a_job(16, among=2)
    scene.offer("urgent", 0, share=Share(priority=90))
    (start,) = [each for each in running(scene) if each.worker == "a"]
    scene.film(start)
    assert scene.last(Start).number == 17  # the other job's

    scene.workers("c")

    assert begun(scene)["c"] == [1]


def test_who_has_no_chunk_to_follow_takes_one_from_a_run_rather_than_none() -> None:
    scene = a_job(6, among=2)  # a has 0, and 1 before it; b has 2
    assert begun(scene) == {"a": [0], "b": [2]}

    taken = [goes_on(scene, "b") for _ in range(4)]

    assert taken == [3, 4, 5, 1]


def test_nothing_begins_further_ahead_of_the_first_that_waits_than_runs_reach() -> None:
    scene = a_job(100, among=2)  # a does not end its first chunk

    taken = [goes_on(scene, "b") for _ in range(20)]

    assert taken[0] == 6
    first = taken.index(1)  # the run that was left to a is taken over
    assert max(taken[:first]) <= 1 + 10
    assert taken[first : first + 4] == [1, 2, 3, 4]


def test_a_run_is_left_where_slots_are_few_and_not_where_all_chunks_have_one() -> None:
    scene = a_job(5, among=8)

    assert begun(scene) == {worker: [number] for number, worker in enumerate("abcde")}


def test_a_page_that_stands_where_a_chunk_begins_is_used_whoever_opened_it() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    scene.offer("job", 0)
    scene.tell("b", pages=[WarmPage("job", 30)])
    for index in range(1, 8):
        scene.offer("job", index, is_all=index == 7)

    assert begun(scene) == {"a": [0], "b": [3]}


def test_a_worker_that_failed_a_chunk_is_not_sent_on_to_it() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    scene.offer("job", 0)
    scene.offer("other", 0)  # b has it
    scene.offer("job", 1, is_all=False, avoid=("a",))
    scene.offer("job", 2)

    assert goes_on(scene, "a") == 3  # the fourth that was offered
    assert goes_on(scene, "b") == 2


def test_pages_that_are_played_take_their_chunks_in_order() -> None:
    scene = a_job(16, among=2, is_played=True)

    taken = [goes_on(scene, worker) for worker in "abab"]

    assert begun(scene) == {"a": [0, 2, 4], "b": [1, 3, 5]}
    assert taken == [2, 3, 4, 5]


def test_a_job_that_may_have_one_slot_is_rendered_in_its_order() -> None:
    scene = a_job(6, among=3, share=Share(most_slots=1))

    for _ in range(5):
        (start,) = running(scene)
        scene.succeed(start)
        scene.withdraw(start.number)

    assert scene.started == [1, 2, 3, 4, 5, 6]
    assert set(begun(scene)) == {"a"}


def test_single_frames_of_a_job_begin_in_order() -> None:
    scene = Scene()
    for index in range(6):
        scene.offer("job", index * 7, frames=1, is_all=False)  # frames 0, 7, 14, ...
    scene.workers("a", "b", slots=1)
    for _ in range(2):
        for worker in "ab":
            goes_on(scene, worker)

    assert scene.started == [1, 2, 3, 4, 5, 6]


def test_chunks_that_are_offered_at_one_time_are_given_out_together() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    for index in range(16):
        scene.offer("job", index, is_all=False)
    assert scene.started == []

    scene.offer("job", 16)

    assert begun(scene) == {"a": [0], "b": [5]}


@pytest.mark.parametrize("workers", [2, 5])
def test_the_same_events_have_the_same_commands(workers: int) -> None:
    def told() -> list[object]:
        scene = a_job(30, among=workers)
        for _ in range(4):
            for worker in "abcde"[:workers]:
                goes_on(scene, worker)
        return list(scene.commands)

    assert told() == told()


def test_what_an_earlier_coordinator_has_left_begins_from_the_front() -> None:
    scene = Scene()
    left = [0, 1, 2, 3, 10, 11, 12, 30, 31, 32, 33, 34]  # the others are finished
    for index in left:
        scene.offer("job", index, is_all=False)
    scene.workers("a", "b", "c", slots=1)

    assert [left[start.number - 1] for start in scene.all(Start)] == [0, 10, 12]
