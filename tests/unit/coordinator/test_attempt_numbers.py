"""No two attempts at a chunk have one number in a coordinator's life."""

from __future__ import annotations

from pathlib import Path

from coordinator.holds import STORAGE_FULL
from coordinator.job import ChunkMoved, ChunkState, JobState
from executors.errors import StorageFullError
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.job_desk import ToldRunner, open_desk
from tests.support.tasks import a_spec


async def test_the_attempts_of_a_job_that_found_no_room_are_counted_on(tmp_path: Path) -> None:
    lost = ChunkMoved(
        index=0, state=ChunkState.REQUEUED, frames=FrameRange(0, 10), worker="w", attempt=4
    )
    async with open_desk(tmp_path, runner=ToldRunner(tells=[lost])) as desk:
        job = await desk.jobs.create(a_spec())
        desk.tell(job.id, StorageFullError("disk full"))
        await eventually(lambda: bool(desk.holds.all))
        desk.succeed(job.id)
        desk.holds.lift(STORAGE_FULL)
        await desk.until(job.id, JobState.SUCCEEDED)

    assert [plan.tasks[0].attempt for plan in desk.runner.plans] == [1, 5]
