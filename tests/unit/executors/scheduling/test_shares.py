"""Whose chunk is next."""

from __future__ import annotations

from collections import Counter

from executors.base import Share
from executors.errors import WorkerBusyError
from executors.scheduling.scheduler import Scheduler
from executors.scheduling.values import JobPaused, JobResumed, Start
from tests.support.scheduling import Scene


def jobs_of(scene: Scene, jobs: dict[int, str]) -> list[str]:
    return [jobs[number] for number in scene.started]


def test_the_chunks_of_a_job_begin_in_their_order() -> None:
    scene = Scene()
    numbers = [scene.offer(index=index) for index in range(3)]
    scene.workers("a", slots=3)

    assert scene.started == numbers


def test_a_higher_priority_comes_first_whoever_came_before() -> None:
    scene = Scene()
    scene.offer("low", 0, share=Share(priority=10))
    high = scene.offer("high", 0, share=Share(priority=90))
    scene.workers("a", slots=1)

    assert scene.started == [high]


def test_users_of_one_priority_have_equally_many_slots_however_many_jobs_they_have() -> None:
    scene = Scene()
    jobs = {}
    for job_id in ("a1", "a2", "a3", "b1"):
        for index in range(8):
            share = Share(user=job_id[0])
            jobs[scene.offer(job_id, index, share=share)] = job_id
    scene.workers("w", slots=6)

    assert Counter(job[0] for job in jobs_of(scene, jobs)) == {"a": 3, "b": 3}


def test_a_users_jobs_share_by_weight() -> None:
    scene = Scene()
    jobs = {}
    for job_id, weight in (("heavy", 3.0), ("light", 1.0)):
        for index in range(20):
            share = Share(weight=weight)
            jobs[scene.offer(job_id, index, share=share)] = job_id
    scene.workers("w", slots=8)

    assert Counter(jobs_of(scene, jobs)) == {"heavy": 6, "light": 2}


def test_a_job_has_no_more_slots_than_it_may_have() -> None:
    scene = Scene()
    for index in range(5):
        scene.offer("job", index, share=Share(most_slots=2))
    scene.workers("w", slots=8)
    assert len(scene.started) == 2

    scene.succeed(scene.last(Start))

    assert len(scene.started) == 3


def test_a_user_has_no_more_slots_than_users_may_have() -> None:
    scene = Scene(Scheduler(worker_wait_s=300.0, user_slots=3))
    for job_id in ("one", "two"):
        for index in range(4):
            scene.offer(job_id, index, share=Share(user="mary"))
    scene.workers("w", slots=8)

    assert len(scene.started) == 3


def test_a_paused_job_begins_nothing_and_others_take_its_place() -> None:
    scene = Scene()
    scene.hear(JobPaused("held"))
    held = scene.offer("held", 0, share=Share(priority=99))
    other = scene.offer("other", 0)
    scene.workers("w", slots=2)
    assert scene.started == [other]

    scene.hear(JobResumed("held"))

    assert scene.started == [other, held]


def test_a_chunk_that_was_interrupted_goes_before_those_that_never_began() -> None:
    scene = Scene()
    first = scene.offer(index=0)
    scene.offer(index=1)
    scene.workers("a", slots=1)
    scene.fail(scene.last(Start), WorkerBusyError("it drains"))

    scene.tell("a")
    scene.wait(1.0)

    assert scene.started == [first, first]
