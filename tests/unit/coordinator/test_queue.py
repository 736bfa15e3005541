"""The decisions of a coordinator's queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from coordinator.job import JobState
from coordinator.queue import JobQueue, Phase
from coordinator.queue_events import (
    Begin,
    Event,
    Fail,
    FarmFreed,
    FarmHeld,
    JobAdded,
    JobAssembling,
    JobEnded,
    JobPaused,
    JobResumed,
    JobReturned,
    JobStopping,
    Ticked,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Steps:
    """A queue, and what it has said."""

    def __init__(self, most_running: int = 1) -> None:
        self.queue = JobQueue(most_running=most_running)
        self.begun: list[str] = []
        self.failed: dict[str, str] = {}

    def take(self, *events: Event, at: datetime = NOON) -> None:
        for event in events:
            for command in self.queue.step(event, at):
                match command:
                    case Begin(job_id):
                        self.begun.append(job_id)
                    case Fail(job_id, error):
                        self.failed[job_id] = error.message
                        assert error.reason in ("DEPENDENCY", "DEADLINE_EXCEEDED")


def added(
    job_id: str,
    user: str = "",
    *,
    priority: int = 50,
    after: tuple[str, ...] = (),
    ends_at: datetime | None = None,
    is_paused: bool = False,
) -> JobAdded:
    return JobAdded(
        job_id=job_id,
        user=user,
        priority=priority,
        after=after,
        ends_at=ends_at,
        is_paused=is_paused,
    )


def done(job_id: str) -> JobEnded:
    return JobEnded(job_id, JobState.SUCCEEDED)


def test_jobs_of_one_user_run_by_age() -> None:
    steps = Steps()

    steps.take(added("a"), added("b"), added("c"), done("a"), done("b"))

    assert steps.begun == ["a", "b", "c"]


def test_so_many_run_at_once() -> None:
    steps = Steps(most_running=2)

    steps.take(added("a"), added("b"), added("c"))

    assert steps.begun == ["a", "b"]
    assert (steps.queue.count(Phase.RUNNING), steps.queue.queued) == (2, 1)


def test_a_job_of_a_higher_priority_waits_for_none_of_a_lower_one() -> None:
    steps = Steps()

    steps.take(added("low", priority=1), added("low2", priority=1), added("high", priority=2))
    steps.take(added("high2", priority=2), done("low"))

    assert steps.begun == ["low", "high"]
    steps.take(done("high"))
    assert steps.begun == ["low", "high", "high2"]
    steps.take(done("high2"))
    assert steps.begun == ["low", "high", "high2", "low2"]


def test_users_take_turns() -> None:
    steps = Steps()
    steps.take(*(added(f"a{n}", "ann") for n in range(3)), *(added(f"b{n}", "bob") for n in (0, 1)))

    for job_id in ("a0", "b0", "a1", "b1"):
        steps.take(done(job_id))

    assert steps.begun == ["a0", "b0", "a1", "b1", "a2"]


def test_a_user_with_fewer_running_jobs_has_the_next_turn() -> None:
    steps = Steps(most_running=3)
    steps.take(*(added(f"a{n}", "ann") for n in range(5)), *(added(f"b{n}", "bob") for n in (0, 1)))

    steps.take(done("a0"))
    steps.take(done("a1"))

    assert steps.begun == ["a0", "a1", "a2", "b0", "a3"]


def test_a_user_of_whom_nothing_runs_does_not_wait_for_the_long_jobs_of_others() -> None:
    steps = Steps(most_running=2)
    steps.take(*(added(f"a{n}", "ann") for n in range(3)))

    steps.take(added("b0", "bob"), added("b1", "bob"), added("c0", "cas"), added("d0", "dan"))

    assert steps.begun == ["a0", "a1", "b0", "c0"]  # twice the limit, and no more
    steps.take(done("b0"), done("a0"))
    assert steps.begun == ["a0", "a1", "b0", "c0", "d0", "b1"]


def test_a_job_begins_when_all_that_it_comes_after_have_succeeded() -> None:
    steps = Steps(most_running=9)
    steps.take(added("a"), added("b"), added("c", after=("a", "b")))

    steps.take(done("a"))
    assert steps.queue.phase("c") is Phase.BLOCKED
    steps.take(done("b"))

    assert steps.begun == ["a", "b", "c"]


def test_a_job_fails_with_what_it_comes_after_and_so_do_those_after_it() -> None:
    steps = Steps()
    steps.take(added("a"), added("b", after=("a",)), added("c", after=("b",)), added("d"))

    steps.take(JobEnded("a", JobState.CANCELLED))
    steps.take(JobEnded("b", JobState.FAILED))

    assert steps.failed == {
        "b": "job a, which it comes after, was cancelled",
        "c": "job b, which it comes after, has failed",
    }
    assert steps.begun == ["a", "d"]


def test_a_job_after_one_that_is_known_no_more_fails() -> None:
    steps = Steps()

    steps.take(added("b", after=("gone",)), JobEnded("gone", None))

    assert steps.failed == {"b": "job gone, which it comes after, was deleted"}


def test_a_job_that_has_ended_is_named_by_those_to_come_after_it_until_they_end() -> None:
    steps = Steps(most_running=9)
    steps.take(added("a"), added("b", after=("a",)), done("a"))

    assert steps.queue.dependants("a") == ("b",)
    steps.take(done("b"))
    assert steps.queue.dependants("a") == ()


def test_a_paused_job_lets_another_one_run_and_goes_on_at_once() -> None:
    steps = Steps()
    steps.take(added("a"), added("b"), JobPaused("a"))

    steps.take(JobResumed("a"))

    assert steps.begun == ["a", "b"]
    assert steps.queue.phase("a") is Phase.RUNNING


def test_a_job_that_is_paused_before_its_turn_misses_it() -> None:
    steps = Steps()
    steps.take(added("a"), added("b"), added("c", is_paused=True), JobPaused("b"), done("a"))

    assert steps.begun == ["a"]
    steps.take(JobResumed("c"), JobResumed("b"), done("c"))

    assert steps.begun == ["a", "c", "b"]


def test_a_job_that_assembles_cannot_be_paused_and_one_that_was_goes_on() -> None:
    steps = Steps(most_running=2)
    steps.take(added("a"), added("b"), JobPaused("b"))

    steps.take(JobAssembling("a"), JobPaused("a"), JobAssembling("b"))

    assert steps.queue.phase("a") is steps.queue.phase("b") is Phase.RUNNING


def test_a_job_that_returns_has_its_old_place() -> None:
    steps = Steps()
    steps.take(added("a"), added("b"), FarmHeld(), JobReturned("a"))

    assert steps.begun == ["a"]
    steps.take(FarmFreed())

    assert steps.begun == ["a", "a"]


def test_nothing_begins_while_the_farm_is_held() -> None:
    steps = Steps()

    steps.take(FarmHeld(), added("a"))
    assert steps.begun == []
    steps.take(FarmFreed())

    assert steps.begun == ["a"]


def test_a_job_fails_when_its_time_is_over_wherever_it_is() -> None:
    steps = Steps()
    limit = NOON + timedelta(seconds=10)
    steps.take(*(added(name, ends_at=limit) for name in ("runs", "waits", "paused", "ended")))
    steps.take(JobPaused("paused"), JobEnded("ended", JobState.CANCELLED))

    assert steps.queue.next_end == limit
    steps.take(Ticked(), at=limit - timedelta(milliseconds=1))
    assert steps.failed == {}
    steps.take(Ticked(), at=limit)

    assert steps.failed.keys() == {"runs", "waits", "paused"}
    assert "2026-11-22 12:00:10 UTC, while it ran;" in steps.failed["runs"]
    assert "before its turn came" in steps.failed["waits"]


def test_a_job_that_is_being_stopped_keeps_its_room_until_it_has_ended() -> None:
    steps = Steps()
    steps.take(added("a"), added("b"), JobStopping("a"))

    steps.take(JobResumed("a"), JobPaused("a"))
    assert steps.begun == ["a"]
    steps.take(JobReturned("a"))
    assert steps.begun == ["a", "b"]
    steps.take(JobEnded("a", JobState.CANCELLED))

    assert steps.begun == ["a", "b"]


def test_what_is_said_of_a_job_that_has_ended_changes_nothing() -> None:
    steps = Steps()

    steps.take(added("a"), done("a"), JobPaused("a"), JobReturned("a"), JobAssembling("a"))

    assert steps.queue.phase("a") is None
    assert steps.begun == ["a"]


def test_time_limits_of_ended_jobs_are_forgotten() -> None:
    steps = Steps()
    for number in range(1_000):
        steps.take(added(f"{number}", ends_at=NOON + timedelta(days=1)), done(f"{number}"))

    assert len(steps.queue._ends) < 100
