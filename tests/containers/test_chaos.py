"""A farm of containers that are frozen, cut off and out of disk: the file is the same."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from coordinator.job import ChunkState, JobState

from .farm import DATA_DIR, running_farm
from .jobs import counting, render_on

if TYPE_CHECKING:
    from pathlib import Path

    from .farm import Farm
    from .jobs import Video

# The disk of the coordinator: room for the job and for what a farm holds free, and little more.
DISK = "700m"
FILL = f"dd if=/dev/zero of={DATA_DIR}/filling bs=64k"


async def test_a_frozen_worker_that_wakes_up_late_does_no_harm(
    own_farm: Farm, pages: Path, undisturbed: Video, tmp_path: Path
) -> None:
    async with counting(own_farm, pages) as watched:
        chunk = await watched.until_a_worker_draws()
        zombie = own_farm.worker_at(chunk.worker)
        zombie.pause()
        try:
            job = await watched.until_it_ends()
        finally:
            zombie.unpause()
        after = await render_on(own_farm, pages, tmp_path / "after.mp4")
        output = await watched.client.download(job.id, tmp_path / "out.mp4")

    assert job.state is JobState.SUCCEEDED
    assert output.sha256 == after.output.sha256 == undisturbed.output.sha256
    done = {one.index: one.worker for one in watched.moves(ChunkState.RENDERED)}
    begun = [one.index for one in watched.moves(ChunkState.RENDERING) if one.worker == chunk.worker]
    assert any(done[index] != chunk.worker for index in begun)  # the one it had when it froze


async def test_a_worker_that_was_cut_off_comes_back_and_does_not_show(
    own_farm: Farm, pages: Path, undisturbed: Video, tmp_path: Path
) -> None:
    async with counting(own_farm, pages) as watched:
        chunk = await watched.until_a_worker_draws()
        lost = own_farm.worker_at(chunk.worker)
        own_farm.cut_off(lost)
        job = await watched.until_it_ends()
        own_farm.connect(lost, "worker")
        after = await render_on(own_farm, pages, tmp_path / "after.mp4")
        output = await watched.client.download(job.id, tmp_path / "out.mp4")

    assert job.state is JobState.SUCCEEDED
    assert output.sha256 == after.output.sha256 == undisturbed.output.sha256


async def test_a_full_disk_holds_the_job_until_there_is_room(
    images: None, pages: Path, undisturbed: Video, tmp_path: Path
) -> None:
    del images
    with running_farm(pages=pages, disk=DISK) as farm:
        async with counting(farm, pages) as watched:
            await watched.until_a_worker_draws()
            code, said = farm.coordinator.run("sh", "-c", FILL)
            assert (code, "No space left on device" in said) == (1, True), said
            async with asyncio.timeout(120):
                while "STORAGE_FULL" not in [
                    one.reason for one in (await watched.client.farm()).holds
                ]:
                    await asyncio.sleep(0.1)
            assert farm.coordinator.run("rm", f"{DATA_DIR}/filling")[0] == 0
            job = await watched.until_it_ends()
            output = await watched.client.download(job.id, tmp_path / "out.mp4")

    assert job.state is JobState.SUCCEEDED
    assert hashlib.sha256((tmp_path / "out.mp4").read_bytes()).hexdigest() == output.sha256
    assert output.sha256 == undisturbed.output.sha256
