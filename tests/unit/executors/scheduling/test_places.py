"""Which worker gets a chunk."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush

import pytest

from executors.base import WarmPage
from executors.errors import (
    RenderCrashedError,
    WorkerFullError,
    WorkerOutOfMemoryError,
    WorkerUnfitError,
)
from executors.scheduling import free_slots
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import Fail, Start, WorkerLeft, WorkerSilent
from executors.status import MISSING_TOOL
from tests.support.scheduling import Scene

Entry = tuple[float, str, int]
CRASH = RenderCrashedError("Chromium is gone")


def places(scene: Scene) -> list[str]:
    return [start.worker for start in scene.all(Start)]


def test_chunks_are_spread_by_load() -> None:
    scene = Scene()
    scene.workers("small", slots=2)
    scene.workers("big", slots=6)
    for index in range(4):
        scene.offer(index=index)

    assert Counter(places(scene)) == {"big": 3, "small": 1}


def test_a_chunk_goes_where_its_page_stands_open_and_nearest() -> None:
    scene = Scene()
    scene.workers("far", "near", "past", slots=1)
    for address, frame in (("far", 10), ("near", 40), ("past", 60)):
        scene.tell(address, pages=[WarmPage("job", frame)])

    scene.offer("job", 5)  # it begins at frame 50

    assert places(scene) == ["near"]


def test_a_page_that_a_chunk_uses_is_open_for_no_other_one() -> None:
    scene = Scene()
    scene.workers("cold", "warm", slots=2)
    scene.tell("warm", slots=2, pages=[WarmPage("job", 0)])

    scene.offer("job", 0)
    scene.offer("job", 1)

    assert places(scene) == ["warm", "cold"]


def test_a_chunk_goes_where_its_composition_is() -> None:
    scene = Scene()
    scene.workers("b", slots=1)
    scene.offer("one", 0, digest="d")
    scene.succeed(scene.last(Start))
    scene.workers("a", slots=1)  # would be first by name

    scene.offer("two", 0, digest="d")

    assert places(scene) == ["b", "b"]


def test_a_job_stays_with_the_fingerprint_that_most_workers_have() -> None:
    scene = Scene()
    scene.workers("a", fingerprint="odd")
    scene.workers("b", "c", fingerprint="common")
    for index in range(4):
        scene.offer(index=index)

    assert places(scene) == ["b", "c"]


def test_a_job_goes_on_with_the_fingerprint_of_what_it_has_already() -> None:
    scene = Scene()
    scene.workers("a", fingerprint="odd")
    scene.workers("b", "c", fingerprint="common")
    for index in range(4):
        scene.offer(index=index, fits="odd")

    assert places(scene) == ["a"]


def test_a_job_moves_to_other_workers_when_all_of_its_own_were_replaced() -> None:
    scene = Scene()
    scene.workers("old", fingerprint="old")
    first = scene.offer("job", 0)
    second = scene.offer("job", 1)
    scene.hear(WorkerLeft("old"))
    scene.workers("new", fingerprint="new")
    scene.wait(40.0)
    assert scene.started == [first]  # what runs on the old one goes on

    scene.succeed(scene.last(Start))
    scene.wait(0.5)

    assert scene.started == [first, second]
    assert scene.last(Start).worker == "new"


def test_a_job_waits_for_its_own_workers_before_it_moves_to_others() -> None:
    scene = Scene()
    scene.workers("own", fingerprint="own")
    first, second = scene.offer("job", 0), scene.offer("job", 1)
    scene.workers("other", fingerprint="other")
    scene.hear(WorkerSilent("own", "UNAVAILABLE"))
    scene.wait(0.0)
    scene.succeed(scene.last(Start))
    scene.wait(29.0)
    assert scene.started == [first]

    scene.tell("own", fingerprint="own")

    assert scene.started == [first, second]
    assert scene.last(Start).worker == "own"


def test_a_fingerprint_whose_workers_are_all_busy_is_not_chosen() -> None:
    scene = Scene()
    scene.workers("a", "b", fingerprint="common")
    scene.workers("c", fingerprint="odd")
    for job_id in ("one", "two", "three"):
        scene.offer(job_id)

    assert places(scene) == ["a", "b", "c"]


def test_a_worker_that_failed_a_chunk_gets_it_again_only_when_it_is_alone() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    number = scene.offer(index=0)
    scene.offer(index=1)
    first, other = scene.all(Start)

    scene.fail(first, RenderCrashedError("Chromium is gone"))  # `other` still runs on b
    assert scene.started.count(number) == 1
    scene.succeed(other)
    assert scene.last(Start).worker == "b"

    scene.hear(WorkerLeft("b"))
    scene.fail(scene.last(Start), RenderCrashedError("again"))
    assert scene.last(Start).worker == "a"


def test_a_worker_that_fails_again_and_again_rests_and_comes_back() -> None:
    scene = Scene()
    scene.workers("bad", "good", slots=1)
    for number in range(3):
        scene.offer(f"job-{number}")
        assert scene.last(Start).worker == "bad"  # it comes first by name
        scene.fail(scene.last(Start), CRASH)
        scene.succeed(scene.last(Start))
    scene.offer("calm", 0)
    scene.offer("calm", 1)
    assert scene.last(Start).worker == "good"

    scene.wait(30.0)

    assert scene.last(Start).worker == "bad"


@pytest.mark.parametrize("before", ["", "1"])  # a worker of an older version does not tell
def test_a_worker_that_came_back_between_two_questions_is_a_new_one(before: str) -> None:
    scene = Scene()
    scene.workers("w")
    scene.tell("w", instance=before)
    scene.offer(digest="bundle")
    scene.fail(scene.last(Start), WorkerUnfitError("there is no ffmpeg here", reason=MISSING_TOOL))
    scene.tell("w", instance=before)
    assert places(scene) == ["w"]

    scene.tell("w", instance="2")

    assert places(scene) == ["w", "w"]


def test_a_worker_that_came_back_is_not_taken_to_hold_what_its_predecessor_held() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=2)
    scene.offer(digest="other")
    scene.offer(digest="bundle")
    assert places(scene) == ["a", "b"]
    for start in scene.all(Start):
        scene.succeed(start)

    scene.tell("b", slots=2, instance="another")
    scene.offer("later", digest="bundle")

    assert places(scene) == ["a", "b", "a"]


def test_a_worker_that_came_back_rests_no_more() -> None:
    scene = Scene()
    scene.workers("bad", "good", slots=1)
    for number in range(3):
        scene.offer(f"job-{number}")
        scene.fail(scene.last(Start), CRASH)
        scene.succeed(scene.last(Start))

    scene.tell("bad", instance="another")
    scene.offer("next")

    assert scene.last(Start).worker == "bad"


def test_a_chunk_that_three_workers_failed_fails_with_their_story() -> None:
    scene = Scene()
    scene.workers("a", "b", "c", "d", slots=1)
    number = scene.offer()
    for _ in range(3):
        scene.fail(scene.last(Start), RenderCrashedError("Chromium is gone"))

    failed = scene.last(Fail)
    assert failed.number == number
    assert failed.error.detail.count("Chromium is gone") == 3
    assert sorted(places(scene)) == ["a", "b", "c"]


def test_a_chunk_that_ran_out_of_memory_gets_more_room() -> None:
    scene = Scene()
    scene.workers("a", slots=2)
    scene.offer(index=0)
    scene.fail(scene.last(Start), WorkerOutOfMemoryError("the page is heavy"))
    scene.offer(index=1)

    assert scene.started == [1, 1]  # both slots are the heavy chunk's


def test_a_chunk_that_ran_out_of_memory_goes_to_a_worker_that_may_have_more() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    scene.offer()
    scene.fail(scene.last(Start), WorkerOutOfMemoryError("the page is heavy"))

    assert sorted(places(scene)) == ["a", "b"]


@pytest.mark.parametrize("workers", [10, 1_000])
def test_a_decision_costs_hardly_more_on_a_large_farm(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def pop(heap: list[Entry]) -> Entry:
        nonlocal steps
        steps += 1
        return heappop(heap)

    def push(heap: list[Entry], item: Entry) -> None:
        nonlocal steps
        steps += 1
        heappush(heap, item)

    monkeypatch.setattr(free_slots, "heappop", pop)
    monkeypatch.setattr(free_slots, "heappush", push)
    scene = Scene(Scheduler(worker_wait_s=300.0))
    scene.workers(*(f"w{number:04}" for number in range(workers)), slots=1)
    for index in range(2 * workers):
        scene.offer(index=index)
    while len(scene.all(Start)) < 2 * workers:
        for start in scene.all(Start)[-workers:]:
            scene.succeed(start)

    assert steps / (2 * workers) < 12


def test_a_job_goes_on_with_the_fingerprint_of_its_finished_chunks() -> None:
    scene = Scene()
    scene.workers("a", "b", fingerprint="new")
    scene.workers("c", fingerprint="old")

    scene.offer(index=1, fits="old")

    assert places(scene) == ["c"]


def test_a_job_whose_finished_chunks_have_a_fingerprint_that_is_gone_moves_on_after_a_while() -> (
    None
):
    scene = Scene()
    scene.workers("a", fingerprint="new")
    scene.offer(index=1, fits="old")

    scene.wait(29.0)
    assert places(scene) == []
    scene.wait(1.0)
    scene.wait(0.5)

    assert places(scene) == ["a"]


def test_who_came_back_with_another_engine_gets_no_chunks_of_its_predecessors_engine() -> None:
    scene = Scene()
    scene.workers("a", fingerprint="old")
    scene.hear(WorkerLeft("a"))
    scene.workers("a", fingerprint="new")

    scene.offer(fits="old")

    assert places(scene) == []


def test_a_chunk_avoids_workers_whose_file_of_it_was_not_what_was_asked_for() -> None:
    scene = Scene()
    scene.workers("a", "b")

    scene.offer(avoid=("a",))

    assert places(scene) == ["b"]


def test_a_worker_whose_disk_is_full_rests_and_the_chunk_goes_elsewhere() -> None:
    scene = Scene()
    scene.workers("full", "roomy")
    scene.offer(index=0)
    scene.offer(index=1)
    scene.succeed(scene.all(Start)[1])

    scene.fail(scene.all(Start)[0], WorkerFullError("its disk is full"))
    scene.tell("full")
    scene.offer(index=2)
    assert places(scene) == ["full", "roomy", "roomy"]
    scene.wait(9.0)
    assert len(places(scene)) == 3
    scene.wait(1.0)

    assert places(scene)[3:] == ["full"]
