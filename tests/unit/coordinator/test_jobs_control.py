"""Jobs that are paused, stopped, wait for others and for the farm."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.holds import STORAGE_FULL, FarmHeldError, Hold
from coordinator.job import Job, JobError, JobHeld, JobSpec, JobState, StateChanged
from coordinator.jobs import JobNeededError, JobNotEndedError, QueueFullError
from coordinator.queue import Phase
from coordinator.settings import QueueLimits
from coordinator.stores.base import JobNotFoundError, LostLeadershipError
from executors.base import Share
from executors.errors import (
    ChunkAbortedError,
    RenderCrashedError,
    StaleTermError,
    StorageFullError,
)
from executors.status import JOB_OVERDUE
from renderer.errors import InvalidRequestError
from tests.support.eventually import eventually
from tests.support.job_desk import Desk, DictStore, ToldRunner, open_desk
from tests.support.tasks import a_spec


class HangingStore(DictStore):
    """Neither answers nor says that it is down until it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def _call(self, name: str) -> None:
        await self.goes_on.wait()
        await super()._call(name)


def spec(**said: object) -> JobSpec:
    return replace(a_spec(), **said)  # type: ignore[arg-type]  # what a test says


async def test_a_paused_job_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        await desk.until(job.id, JobState.RENDERING)

        paused = await desk.jobs.pause(job.id)
        assert paused.state is JobState.PAUSED
        assert desk.runner.running == [job.id]
        resumed = await desk.jobs.resume(job.id)
        assert resumed.state is JobState.RENDERING
        desk.succeed(job.id)

        await desk.until(job.id, JobState.SUCCEEDED)
    assert desk.pauser.told == [("pause", job.id), ("resume", job.id)]
    assert desk.runner.begun == [job.id]


async def test_a_paused_job_whose_last_chunks_end_is_assembled(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        await desk.jobs.pause(job.id)
        desk.succeed(job.id)

        await desk.until(job.id, JobState.SUCCEEDED)
        assert (await desk.jobs.pause(job.id)).state is JobState.SUCCEEDED

    assert desk.states(job.id)[-3:] == [
        JobState.PAUSED,
        JobState.ASSEMBLING,
        JobState.SUCCEEDED,
    ]


async def test_a_paused_job_is_paused_in_the_next_process_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as first:
        running = await first.jobs.create(spec())
        await first.jobs.pause(running.id)

    async with open_desk(tmp_path, store=first.store) as second:
        assert second.runner.begun == []
        assert (tmp_path / "chunks" / running.id).exists()
        second.succeed(running.id)
        assert (await second.jobs.resume(running.id)).state is not JobState.PAUSED
        await second.until(running.id, JobState.SUCCEEDED)


async def test_a_paused_job_can_be_cancelled(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        running = await desk.jobs.create(spec())
        waiting = await desk.jobs.create(spec(after=(running.id,)))
        for job in (running, waiting):
            await desk.jobs.pause(job.id)

        ended = [await desk.jobs.cancel(job.id) for job in (waiting, running)]

    assert [job.state for job in ended] == [JobState.CANCELLED] * 2
    assert desk.pauser.told[-1] == ("resume", running.id)


async def test_that_a_job_is_to_end_is_kept_before_anything_of_it_is_stopped(
    tmp_path: Path,
) -> None:
    kept: list[JobState] = []

    async def on_abort(job_id: str) -> None:
        kept.append(desk.state(job_id))

    async with open_desk(tmp_path, runner=ToldRunner(on_abort=on_abort)) as desk:
        job = await desk.jobs.create(spec())
        cancelled = await desk.jobs.cancel(job.id)

    assert kept == [JobState.ABORTING]
    assert cancelled.state is JobState.CANCELLED
    assert list((tmp_path / "chunks").iterdir()) == []


@pytest.mark.parametrize("cause", [None, JobError(reason="DEADLINE_EXCEEDED", message="late")])
async def test_a_job_that_was_to_end_when_its_process_was_killed_ends_in_the_next_one(
    tmp_path: Path, cause: JobError | None
) -> None:
    async with open_desk(tmp_path) as first:
        job = await first.jobs.create(spec())
        after = await first.jobs.create(spec(after=(job.id,)))
    await first.store.append(job.id, [StateChanged(JobState.ABORTING, cause)])
    (tmp_path / "outputs" / f"{job.id}.mp4").write_bytes(b"renamed into place, and then killed")

    async with open_desk(tmp_path, store=first.store) as second:
        assert second.runner.begun == []
        ended = second.store.jobs[job.id]
        followed = await second.until(after.id, JobState.FAILED)

    assert ended.state is (JobState.FAILED if cause else JobState.CANCELLED)
    assert ended.error == cause
    assert followed.error is not None
    assert followed.error.reason == "DEPENDENCY"
    assert list((tmp_path / "outputs").iterdir()) == list((tmp_path / "chunks").iterdir()) == []


async def test_a_cancel_that_was_first_leaves_no_video_of_a_job_that_ended_nevertheless(
    tmp_path: Path,
) -> None:
    stop = asyncio.Event()

    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        desk.tell(job.id, stop.wait)
        await eventually(lambda: desk.runner.running == [job.id])
        cancelling = asyncio.create_task(desk.jobs.cancel(job.id))
        await desk.until(job.id, JobState.ABORTING)
        stop.set()

        assert (await cancelling).state is JobState.CANCELLED

    assert desk.store.jobs[job.id].output is None
    assert list((tmp_path / "outputs").iterdir()) == []


async def test_a_cancel_that_comes_after_the_end_changes_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        desk.succeed(job.id)
        await eventually((tmp_path / "outputs" / f"{job.id}.mp4").exists)

        ended = await desk.jobs.cancel(job.id)

    assert ended.state is JobState.SUCCEEDED
    assert ended.output is not None


async def test_the_first_cause_is_kept(tmp_path: Path) -> None:
    async def fail_late(job_id: str) -> None:
        raise RenderCrashedError("a consequence of the cancel")

    async with open_desk(tmp_path, runner=ToldRunner(on_abort=fail_late)) as desk:
        job = await desk.jobs.create(spec(time_limit_s=0.05))
        ended = await desk.until(job.id, JobState.FAILED)
        again = await desk.jobs.cancel(job.id)

    assert ended.error is not None
    assert ended.error.reason == "DEADLINE_EXCEEDED"
    assert again == ended


async def test_a_worker_that_saw_first_that_the_time_is_over_says_the_same(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec(time_limit_s=60.0))
        desk.tell(job.id, ChunkAbortedError("its job's time is over", reason=JOB_OVERDUE))
        ended = await desk.until(job.id, JobState.FAILED)

    assert ended.error == JobError(reason="DEADLINE_EXCEEDED", message="its job's time is over")


async def test_a_job_that_still_waits_when_its_time_is_over_fails(tmp_path: Path) -> None:
    async with open_desk(tmp_path, most_running=1) as desk:
        await desk.jobs.create(spec())
        late = await desk.jobs.create(spec(time_limit_s=0.05))

        ended = await desk.until(late.id, JobState.FAILED)

    assert ended.error is not None
    assert ended.error.reason == "DEADLINE_EXCEEDED"
    assert desk.states(late.id) == [JobState.QUEUED, JobState.FAILED]


async def test_jobs_run_after_those_they_name_and_fail_with_them(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        first = await desk.jobs.create(spec())
        second = await desk.jobs.create(spec(after=(first.id,)))
        third = await desk.jobs.create(spec(after=(second.id, first.id)))
        assert desk.jobs.queue.phase(second.id) is Phase.BLOCKED
        desk.succeed(first.id)
        await desk.until(second.id, JobState.RENDERING)

        await desk.jobs.cancel(second.id)
        ended = await desk.until(third.id, JobState.FAILED)
        late = await desk.jobs.create(spec(after=(third.id,)))
        too_late = await desk.until(late.id, JobState.FAILED)

    assert ended.error == JobError(
        reason="DEPENDENCY", message=f"job {second.id}, which it comes after, was cancelled"
    )
    assert too_late.error is not None
    assert f"job {third.id}, which it comes after, has failed" in too_late.error.message


async def test_a_job_after_one_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        with pytest.raises(InvalidRequestError, match="after: no job nobody is known here"):
            await desk.jobs.create(spec(after=("nobody",)))

    assert desk.store.jobs == {}


async def test_a_job_that_finds_no_room_waits_for_it_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        desk.tell(job.id, StorageFullError("disk full: make room there"))
        await desk.until(job.id, JobState.QUEUED)
        await eventually(lambda: bool(desk.holds.all))

        with pytest.raises(FarmHeldError, match="takes nothing now: disk full: make room there"):
            await desk.jobs.create(spec())
        assert (tmp_path / "chunks" / job.id).exists()
        desk.succeed(job.id)
        desk.holds.lift(STORAGE_FULL)
        await desk.until(job.id, JobState.SUCCEEDED)

    events = [row.event for row in desk.store.logs[job.id]]
    assert JobHeld(reason="STORAGE_FULL", message="disk full: make room there") in events
    assert desk.runner.begun == [job.id] * 2


async def test_a_job_that_finds_no_room_while_it_is_paused_stays_paused(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        await desk.jobs.pause(job.id)
        desk.tell(job.id, StorageFullError("disk full"))
        await eventually(lambda: not desk.runner.running and not desk.jobs.queue.is_begun(job.id))
        desk.holds.lift(STORAGE_FULL)

        assert desk.state(job.id) is JobState.PAUSED
        assert (await desk.jobs.cancel(job.id)).state is JobState.CANCELLED


async def test_jobs_go_on_while_the_database_is_down_and_nothing_is_lost(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        await desk.until(job.id, JobState.RENDERING)
        desk.store.is_down = True
        desk.succeed(job.id)
        await eventually(lambda: bool(desk.holds.all))

        for asked in (desk.jobs.create(spec()), desk.jobs.cancel(job.id)):
            with pytest.raises(FarmHeldError, match="the database is down: start it"):
                await asked
        desk.store.is_down = False
        await desk.until(job.id, JobState.SUCCEEDED)
        await eventually(lambda: not desk.holds.all)


async def test_a_job_that_is_cancelled_while_the_database_is_down_stops_at_once(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        running, other = [await desk.jobs.create(spec()) for _ in range(2)]
        await eventually(lambda: len(desk.runner.running) == 2)
        desk.store.is_down = True
        with pytest.raises(FarmHeldError, match="nothing of job job1 runs any more, which is not"):
            await asyncio.wait_for(desk.jobs.cancel(running.id), 60)
        stopped = list(desk.runner.running)
        with pytest.raises(FarmHeldError, match="nothing of job job1 runs any more"):  # once more
            await asyncio.wait_for(desk.jobs.cancel(running.id), 60)
        desk.store.is_down = False

        await desk.until(running.id, JobState.CANCELLED)
        assert desk.states(running.id)[-2:] == [JobState.ABORTING, JobState.CANCELLED]
        assert desk.runner.running == stopped == [other.id]


async def test_a_waiting_job_that_is_cancelled_while_the_database_is_down_never_begins(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path, most_running=1) as desk:
        running, waiting = [await desk.jobs.create(spec()) for _ in range(2)]
        await eventually(lambda: desk.runner.running == [running.id])
        desk.store.is_down = True
        with pytest.raises(FarmHeldError):
            await asyncio.wait_for(desk.jobs.cancel(waiting.id), 60)
        desk.store.is_down = False
        desk.succeed(running.id)
        await desk.until(running.id, JobState.SUCCEEDED)

        await desk.until(waiting.id, JobState.CANCELLED)
    assert desk.runner.begun == [running.id]


async def test_a_database_that_hangs_keeps_no_job_running_that_was_cancelled(
    tmp_path: Path,
) -> None:
    store = HangingStore()
    async with open_desk(tmp_path, store=store) as desk:
        job = await desk.jobs.create(spec())
        await desk.until(job.id, JobState.RENDERING)
        store.goes_on.clear()
        cancelling = asyncio.create_task(desk.jobs.cancel(job.id))

        await eventually(lambda: not desk.runner.running)
        assert not cancelling.done()
        store.goes_on.set()
        assert (await cancelling).state is JobState.CANCELLED


async def test_a_coordinator_ends_though_its_database_is_down(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.jobs.create(spec())
        await desk.until(job.id, JobState.RENDERING)
        desk.store.is_down = True
        desk.succeed(job.id)
        await eventually(lambda: bool(desk.holds.all))

    desk.store.is_down = False
    async with open_desk(tmp_path, store=desk.store) as second:
        second.succeed(job.id)
        await second.until(job.id, JobState.SUCCEEDED)


async def test_a_coordinator_that_was_followed_leaves_the_files_alone(tmp_path: Path) -> None:
    store = DictStore()
    with pytest.raises(LostLeadershipError):
        async with open_desk(tmp_path, store=store) as desk:
            job = await desk.jobs.create(spec())
            await desk.until(job.id, JobState.RENDERING)
            video = tmp_path / "outputs" / f"{job.id}.mp4"
            video.write_bytes(b"the other one's")
            store.is_led_by_another = True
            desk.tell(job.id, OSError("the chunks are gone: the other one has joined them"))
            await asyncio.sleep(5.0)

    assert video.read_bytes() == b"the other one's"
    assert store.jobs[job.id].state is JobState.RENDERING


async def test_a_job_that_comes_while_the_coordinator_ends_is_the_next_ones(
    tmp_path: Path,
) -> None:
    store = SlowStore()
    async with open_desk(tmp_path, store=store) as desk:
        store.may_add = asyncio.Event()
        creating = asyncio.create_task(desk.jobs.create(spec()))
        await eventually(lambda: "add" in store.calls)
        asyncio.get_running_loop().call_later(0.05, store.may_add.set)

    job = await creating
    assert desk.runner.begun == []
    with pytest.raises(FarmHeldError, match="is being stopped"):
        await desk.jobs.create(spec())
    async with open_desk(tmp_path, store=store) as second:
        second.succeed(job.id)
        await second.until(job.id, JobState.SUCCEEDED)


@pytest.mark.parametrize("error", [LostLeadershipError("followed"), StaleTermError("followed")])
async def test_a_coordinator_that_was_followed_ends_and_leaves_its_jobs(
    tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(LostLeadershipError, match="followed"):
        async with open_desk(tmp_path) as desk:
            job = await desk.jobs.create(spec())
            await desk.until(job.id, JobState.RENDERING)
            desk.tell(job.id, error)
            await asyncio.sleep(5)  # cancelled, for nothing works any more

    assert desk.state(job.id) is JobState.RENDERING
    assert (tmp_path / "chunks" / job.id).exists()


async def test_a_full_queue_takes_no_more_of_anyone_or_of_one_user(tmp_path: Path) -> None:
    limits = QueueLimits(jobs=3, jobs_a_user=2)
    async with open_desk(tmp_path, most_running=1, limits=limits) as desk:
        ann, bob = (spec(share=Share(user=user)) for user in ("ann", "bob"))
        running, *_ = [await desk.jobs.create(ann) for _ in range(3)]

        with pytest.raises(QueueFullError, match="2 jobs of user 'ann' wait already"):
            await desk.jobs.create(ann)
        for _ in range(2):  # the first begins: nothing of bob runs
            await desk.jobs.create(bob)
        with pytest.raises(QueueFullError, match="3 jobs wait already"):
            await desk.jobs.create(bob)
        await desk.jobs.cancel(running.id)
        await desk.jobs.create(bob)


async def test_thousands_of_waiting_jobs_have_no_task_each(tmp_path: Path) -> None:
    async with open_desk(tmp_path, most_running=2) as desk:
        before = len(asyncio.all_tasks())
        jobs = [await desk.jobs.create(spec()) for _ in range(3_000)]

        assert len(asyncio.all_tasks()) - before < 12
        assert desk.jobs.queue.queued == 2_998
        for job in jobs[:3]:
            desk.succeed(job.id)
        await desk.until(jobs[2].id, JobState.SUCCEEDED)


async def test_what_is_kept_of_a_deleted_job_is_gone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        kept = await _ended(desk, await desk.jobs.create(spec()))
        job = await _ended(desk, await desk.jobs.create(spec()))
        (tmp_path / "outputs" / f"{job.id}.manifest.jsonl").touch()
        (tmp_path / "outputs" / f"{job.id}.pictures").mkdir()
        (tmp_path / "chunks" / job.id).mkdir(exist_ok=True)

        await desk.jobs.delete(job.id)
        with pytest.raises(JobNotFoundError):
            await desk.jobs.delete(job.id)

    assert [path.name for path in (tmp_path / "outputs").iterdir()] == [f"{kept.id}.mp4"]
    assert list((tmp_path / "chunks").iterdir()) == []
    assert desk.store.jobs.keys() == {kept.id}


async def test_a_job_that_has_not_ended_or_is_needed_is_not_deleted(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        first = await _ended(desk, await desk.jobs.create(spec()))
        second = await desk.jobs.create(spec(after=(first.id,)))

        with pytest.raises(JobNeededError, match=f"job {second.id} is to come after"):
            await desk.jobs.delete(first.id)
        with pytest.raises(JobNotEndedError, match="cancel it first"):
            await desk.jobs.delete(second.id)
        await desk.jobs.cancel(second.id)
        await desk.jobs.delete(first.id)


async def test_a_farm_is_held_until_its_last_reason_is_gone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for hold in (Hold("ONE", "one is wrong"), Hold("OTHER", "another is wrong")):
            desk.holds.put(hold)
        desk.holds.lift("ONE")

        with pytest.raises(FarmHeldError, match="another is wrong"):
            await desk.jobs.create(spec())
        desk.holds.lift("OTHER")
        await desk.until((await desk.jobs.create(spec())).id, JobState.RENDERING)


async def _ended(desk: Desk, job: Job) -> Job:
    desk.succeed(job.id)
    return await desk.until(job.id, JobState.SUCCEEDED)


class SlowStore(DictStore):
    """Adds a job when it may."""

    may_add: asyncio.Event | None = None

    async def add(self, job: Job, *, request_id: str) -> Job:
        self.calls["add"] = 1
        if self.may_add:
            await self.may_add.wait()
        return await super().add(job, request_id=request_id)
