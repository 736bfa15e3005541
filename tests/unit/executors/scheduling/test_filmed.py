"""Attempts that are filmed: their slots are free, and they are still attempts."""

from __future__ import annotations

from executors.base import Share, WarmPage
from executors.errors import RenderCrashedError, WorkerLostError, WorkerOutOfMemoryError
from executors.scheduling.scheduler import SILENCE_LIMIT_S, Scheduler
from executors.scheduling.values import (
    Accept,
    Attach,
    Lose,
    Start,
    Stop,
    Surveyed,
    WorkerFound,
    WorkerLeft,
    WorkerSilent,
)
from executors.worker_port import Token
from tests.support.scheduling import Scene, ran

LOST = WorkerLostError("the connection broke")


def test_the_next_chunk_begins_in_the_slot_of_one_that_is_filmed_and_in_its_page() -> None:
    scene = Scene()
    scene.workers("a", "b")
    numbers = [scene.offer(index=index) for index in (0, 7, 1)]
    first = scene.all(Start)[0]

    (second,) = scene.film(first)

    assert scene.started == numbers
    assert second == Start(numbers[2], Token(7, 1), first.worker)
    assert scene.taken(first.worker) == (1, 1, 0)


def test_no_more_than_twice_as_many_chunks_as_slots_are_on_their_way() -> None:
    scene = Scene()
    scene.workers("a")
    numbers = [scene.offer(index=index) for index in range(4)]
    scene.film(scene.last(Start))
    assert scene.started == numbers[:2]
    second = scene.last(Start)

    assert scene.film(second) == []
    assert scene.taken("a") == (0, 2, 0)

    assert scene.succeed(scene.all(Start)[0])[0] == Accept(numbers[0], Token(7, 1))
    assert scene.started == numbers[:3]


def test_a_slot_is_freed_once_however_often_it_is_told_and_however_the_attempt_ends() -> None:
    for end in (Scene.succeed, Scene.stop, lambda s, a: s.fail(a, RenderCrashedError("broke"))):
        scene = Scene()
        scene.workers("a", slots=2)
        share = Share(user="ada", most_slots=1)
        scene.offer("job", 0, share=share)
        start = scene.last(Start)
        scene.film(start)
        scene.film(start)
        assert scene.taken("a") == (0, 1, 2)
        scene.offer("job", 1, share=share)  # the job may have one slot
        assert len(scene.started) == 2

        end(scene, start)
        scene.withdraw(start.number)
        scene.withdraw(scene.offers)
        scene.stop(scene.all(Start)[1])

        assert scene.taken("a")[:2] == (0, 0)
        assert list(scene.scheduler._board.jobs) == []


def test_what_is_filmed_is_lost_and_found_like_any_other_attempt() -> None:
    scene = Scene()
    scene.workers("a")
    number = scene.offer("job", 0)
    start = scene.last(Start)
    scene.film(start)
    scene.fail(start, LOST)
    other = scene.offer("job", 1)
    assert scene.started == [number]  # nobody knows yet who is there

    scene.tell("a", free=1, attempts=[ran("job", 0, term=7, is_filmed=True)])
    scene.wait(1.0)  # whoever loses chunks rests for a moment

    assert scene.last(Start).number == other
    assert scene.last(Attach) == Attach(number, start.token, "a")
    assert scene.taken("a") == (1, 1, 0)
    assert scene.succeed(scene.last(Attach))[0] == Accept(number, start.token)
    assert scene.taken("a") == (1, 0, 0)


def test_what_an_earlier_coordinator_has_left_filmed_takes_no_slot() -> None:
    scene = Scene(Scheduler(worker_wait_s=300.0, term=8))
    scene.hear(WorkerFound("a"))
    mine = scene.offer("job", 0)
    attempts = [ran("job", index, term=7, is_filmed=True) for index in (0, 5)]
    scene.tell("a", free=0, attempts=attempts)  # two are all that a worker of one slot has
    scene.hear(Surveyed())
    other = scene.offer("job", 1)
    assert scene.last(Attach) == Attach(mine, Token(7, 1), "a")
    assert scene.started == []

    scene.tell("a", free=1, attempts=attempts[:1])  # nobody came for the other one

    assert scene.started == [other]
    assert scene.taken("a") == (1, 1, 0)


def test_more_filmed_attempts_than_slots_do_not_look_like_slots_that_are_taken() -> None:
    scene = Scene()
    scene.workers("a", slots=2)
    theirs = [ran("else", index, term=3, is_filmed=True) for index in range(3)]

    scene.tell("a", slots=2, free=1, attempts=theirs)

    assert scene.taken("a") == (0, 0, 1)
    worker = scene.scheduler.workers.get("a")
    assert worker is not None
    assert (worker.elsewhere, worker.filmed_elsewhere) == (0, 3)


def test_a_worker_that_falls_silent_with_nothing_but_filmed_attempts_is_cut_off() -> None:
    scene = Scene()
    scene.workers("a")
    number = scene.offer()
    start = scene.last(Start)
    scene.film(start)
    scene.hear(WorkerSilent("a", "DEADLINE_EXCEEDED"))

    scene.wait(SILENCE_LIMIT_S)

    assert scene.last(Stop).token == start.token
    assert scene.last(Lose).number == number


def test_a_worker_that_has_left_is_known_until_what_is_filmed_there_has_ended() -> None:
    scene = Scene()
    scene.workers("a")
    scene.offer()
    start = scene.last(Start)
    scene.film(start)

    scene.hear(WorkerLeft("a"))

    assert scene.scheduler.workers.get("a") is not None
    scene.succeed(start)
    assert scene.scheduler.workers.get("a") is None


def test_a_job_does_not_move_to_other_engines_while_a_chunk_of_its_own_is_encoded() -> None:
    scene = Scene()
    scene.workers("a", fingerprint="old")
    scene.offer(index=0)
    start = scene.last(Start)
    scene.film(start)
    scene.hear(WorkerLeft("a"))
    scene.workers("b", fingerprint="new")
    scene.offer(index=1)

    scene.wait(31.0)
    scene.wait(31.0)
    assert len(scene.started) == 1

    scene.succeed(start)
    scene.wait(31.0)
    assert scene.last(Start).worker == "b"


def test_a_chunk_that_has_run_out_of_memory_keeps_its_slots_to_the_end() -> None:
    scene = Scene()
    scene.workers("a", slots=2)
    scene.offer(index=0)
    scene.fail(scene.last(Start), WorkerOutOfMemoryError("killed"))
    heavy = scene.last(Start)
    scene.offer(index=1)

    assert scene.film(heavy) == []
    assert scene.taken("a") == (2, 0, 0)

    scene.succeed(heavy)
    assert scene.last(Start).number == scene.offers


def test_a_page_is_open_once_when_its_chunk_is_filmed_and_then_done() -> None:
    scene = Scene()
    scene.workers("a")
    scene.offer(index=0)
    start = scene.last(Start)
    scene.film(start)
    scene.succeed(start)

    worker = scene.scheduler.workers.get("a")

    assert worker is not None
    assert worker.pages == [WarmPage("job", 10)]


def test_a_filmed_chunk_is_not_doubled() -> None:
    scene = Scene()
    scene.workers("a", "b")
    for index in range(2):
        scene.offer(index=index)
    first, second = scene.all(Start)
    scene.now_s = 10.0
    scene.succeed(first)
    scene.withdraw(first.number)
    scene.progress(second, 10)
    scene.film(second)

    scene.wait(1000.0)

    assert len(scene.started) == 2
