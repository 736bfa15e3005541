"""Attempts that are lost, found again, doubled, stopped."""

from __future__ import annotations

from executors.base import Share
from executors.errors import (
    CompositionFailedError,
    NoWorkerError,
    WorkerBusyError,
    WorkerLostError,
)
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import (
    Accept,
    Attach,
    Fail,
    Gathered,
    Lose,
    Offer,
    Offered,
    Start,
    Stop,
    Surveyed,
    WorkerFound,
    WorkerSilent,
)
from executors.status import SUPERSEDED
from executors.worker_port import Token
from tests.support.scheduling import Scene, ran

LOST = WorkerLostError("the connection broke")


def test_the_first_result_is_taken_and_the_other_attempt_stopped() -> None:
    scene = a_slow_chunk_with_a_hedge()
    slow, hedge = (start for start in scene.all(Start) if start.number == scene.offers)

    scene.succeed(hedge)

    assert scene.last(Accept).token == hedge.token
    assert scene.last(Stop).token == slow.token
    assert scene.succeed(slow) == []  # it was quick to end, and comes too late


def test_a_stopped_attempt_keeps_its_slot_until_it_has_ended() -> None:
    scene = Scene()
    scene.workers("a", slots=1)
    first = scene.offer(index=0)
    start = scene.last(Start)
    second = scene.offer(index=1)
    scene.withdraw(first)
    assert scene.last(Stop).token == start.token
    assert second not in scene.started

    scene.stop(start)

    assert scene.started == [first, second]


def test_a_broken_connection_is_waited_for_and_the_attempt_taken_up_again() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    number = scene.offer("job", 3)
    start = scene.last(Start)
    scene.fail(start, LOST)
    assert scene.started == [number]

    scene.tell(start.worker, free=0, attempts=[ran("job", 3, term=7)])

    assert scene.last(Attach) == Attach(number, start.token, start.worker)
    assert scene.succeed(scene.last(Attach))[0] == Accept(number, start.token)


def test_an_attempt_that_its_worker_does_not_know_any_more_begins_anew() -> None:
    scene = Scene()
    scene.workers("a", slots=1)
    number = scene.offer()
    scene.fail(scene.last(Start), LOST)

    scene.tell("a")
    scene.wait(1.0)

    assert scene.started == [number, number]
    assert scene.last(Start).token == Token(7, 2)
    assert len(scene.all(Lose)) == 1


def test_a_worker_that_does_not_answer_after_a_broken_connection_is_not_waited_for() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    scene.offer()
    start = scene.last(Start)
    scene.fail(start, LOST)

    scene.hear(WorkerSilent(start.worker, "UNAVAILABLE"))

    assert scene.last(Start).worker != start.worker


def test_what_an_earlier_coordinator_began_is_taken_up_not_begun_again() -> None:
    scene = Scene(Scheduler(worker_wait_s=300.0, term=8))
    scene.hear(WorkerFound("a"))
    scene.hear(WorkerFound("b"))
    number = scene.offer("job", 2)
    scene.tell("a")
    assert scene.started == []  # b has not said yet what it does
    scene.tell("b", free=0, attempts=[ran("job", 2, term=7, attempt=3)])
    scene.hear(Surveyed())

    assert scene.all(Attach) == [Attach(number, Token(7, 3), "b")]
    assert scene.started == []


def test_what_a_later_coordinator_began_is_not_taken_up() -> None:
    scene = Scene(Scheduler(worker_wait_s=300.0, term=8))
    scene.hear(WorkerFound("a"))
    scene.offer("job", 2)
    scene.tell("a", attempts=[ran("job", 2, term=9)])
    scene.hear(Surveyed())

    assert scene.all(Attach) == []


def test_an_attempt_that_cannot_be_taken_up_after_all_is_begun_again() -> None:
    scene = Scene(Scheduler(worker_wait_s=300.0, term=8))
    number = scene.offer("job", 2)
    scene.workers("a")
    scene.succeed(scene.last(Start))
    scene.withdraw(number)
    number = scene.offer("job", 4)
    scene.fail(scene.last(Start), LOST)
    scene.tell("a", free=0, attempts=[ran("job", 4, term=8, attempt=1)])
    scene.fail(scene.last(Attach), WorkerLostError("no such attempt", reason="ATTEMPT_NOT_FOUND"))

    scene.tell("a")
    scene.wait(1.0)

    assert scene.last(Start).token == Token(8, 2)
    assert number == scene.last(Start).number


def test_a_silent_worker_is_given_up_after_a_while_and_its_chunk_begun_elsewhere() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    number = scene.offer()
    start = scene.last(Start)
    scene.hear(WorkerSilent(start.worker, "DEADLINE_EXCEEDED"))
    assert scene.wait(29.0) == []

    scene.wait(1.0)

    assert scene.last(Stop).token == start.token
    assert scene.last(Start).worker != start.worker
    assert scene.started == [number, number]


def test_progress_is_a_sign_of_life() -> None:
    scene = Scene()
    scene.workers("a", slots=1)
    scene.offer()
    scene.hear(WorkerSilent("a", "DEADLINE_EXCEEDED"))
    scene.wait(20.0)
    scene.progress(scene.last(Start), 3)

    assert scene.wait(29.0) == []


def test_a_page_at_fault_fails_its_chunk_at_once() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    number = scene.offer()
    scene.fail(scene.last(Start), CompositionFailedError("no canvas"))

    assert scene.last(Fail).number == number
    assert scene.started == [number]


def test_interruptions_never_spend_attempts() -> None:
    scene = Scene()
    scene.workers("a", slots=1)
    scene.offer()
    for _ in range(15):
        scene.fail(scene.last(Start), LOST)
        scene.tell("a")
        scene.wait(1.0)

    assert scene.all(Fail) == []
    assert scene.last(Start).token.attempt == 16


def test_a_chunk_for_which_nobody_comes_fails_and_says_who_was_there() -> None:
    scene = Scene(Scheduler(worker_wait_s=60.0))
    scene.workers("a")
    scene.hear(WorkerSilent("a", "UNAVAILABLE: refused"))
    number = scene.offer()
    scene.wait(59.0)
    assert scene.all(Fail) == []

    scene.wait(1.0)

    failed = scene.last(Fail)
    assert failed.number == number
    assert isinstance(failed.error, NoWorkerError)
    assert "a: UNAVAILABLE: refused" in str(failed.error)


def test_nothing_slow_is_doubled_while_others_wait() -> None:
    scene = a_slow_chunk(others=1)

    assert scene.wait(60.0) == []


def test_an_attempt_that_was_sent_twice_and_refused_where_it_runs_is_taken_up_there() -> None:
    scene = Scene()
    scene.workers("a", slots=2)
    scene.offer(index=0)
    scene.offer(index=1)
    refusal = WorkerBusyError("the same attempt runs here already", reason=SUPERSEDED)
    scene.fail(scene.all(Start)[0], refusal)

    scene.tell("a", slots=2, free=0, attempts=[ran("job", 0, term=7), ran("job", 1, term=7)])
    scene.offer(index=2)

    assert [attach.number for attach in scene.all(Attach)] == [1]
    assert scene.started == [1, 2]  # both slots are taken


def test_a_probe_is_not_doubled_and_not_taken_up() -> None:
    scene = Scene()
    scene.workers("a", "b", slots=1)
    offer = Offer(
        number=1,
        job_id="job",
        index=9,
        start=0,
        frames=10,
        digest=None,
        share=Share(),
        is_attachable=False,
    )
    scene.offers = 1
    scene.hear(Offered(offer))
    scene.hear(Gathered())
    scene.fail(scene.last(Start), LOST)
    scene.tell(scene.last(Start).worker, attempts=[ran("job", 9, term=7)])

    assert scene.all(Attach) == []
    assert scene.started == [1, 1]


def a_slow_chunk(*, others: int = 0) -> Scene:
    """Two workers; a frame takes 0.1 s as a rule, and one chunk has given none for long."""
    scene = Scene()
    scene.workers("a", "b", slots=1)
    for index in range(3):
        scene.offer("job", index)
        if index < 2:
            scene.now_s += 1.0
            scene.succeed(scene.last(Start))
    for number in range(others):
        scene.offer("other", number)
        scene.offer("other", 10 + number)
    return scene


def a_slow_chunk_with_a_hedge() -> Scene:
    scene = a_slow_chunk()
    scene.wait(10.0)
    assert scene.started.count(scene.offers) == 2
    assert len({start.worker for start in scene.all(Start)[-2:]}) == 2
    return scene
