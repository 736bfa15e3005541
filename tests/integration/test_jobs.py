"""The coordinator's queue, when whoever asked leaves in the middle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from coordinator.job import Job, JobState
from coordinator.queue import Phase
from tests.support.eventually import eventually
from tests.support.farm import TestCoordinator, running_coordinator, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_spec


@contextmanager
def busy_disk(coordinator: TestCoordinator) -> Generator[None]:
    """Nothing is kept before the block ends."""
    free = threading.Event()
    coordinator.store._database._thread.submit(free.wait)
    try:
        yield
    finally:
        free.set()


async def ended(coordinator: TestCoordinator, job: Job) -> Job:
    async with asyncio.timeout(60):
        while not (await coordinator.store.get(job.id)).state.is_final:
            await asyncio.sleep(0.02)
    return await coordinator.store.get(job.id)


async def test_a_job_whose_creator_left_in_the_middle_is_worked_on_all_the_same(
    tmp_path: Path,
) -> None:
    async with (
        running_worker(PictureRenderer()) as worker,
        running_coordinator([worker.address], tmp_path) as coordinator,
    ):
        with busy_disk(coordinator):
            creating = asyncio.create_task(coordinator.jobs.create(a_spec(), request_id="wish"))
            await asyncio.sleep(0.05)
            creating.cancel()
            await asyncio.wait([creating])

        job = await coordinator.jobs.create(a_spec(), request_id="wish")

        assert (await ended(coordinator, job)).state is JobState.SUCCEEDED


async def test_a_waiting_job_is_cancelled_though_who_asked_for_it_left(tmp_path: Path) -> None:
    async with running_coordinator(["127.0.0.1:1"], tmp_path, most_running=1) as coordinator:
        running = await coordinator.jobs.create(a_spec())
        waiting = await coordinator.jobs.create(a_spec())
        cancelling = asyncio.create_task(coordinator.jobs.cancel(waiting.id))
        while coordinator.jobs.queue.phase(waiting.id) is Phase.WAITING:
            await asyncio.sleep(0)
        cancelling.cancel()
        await asyncio.wait([cancelling])

        await coordinator.jobs.cancel(running.id)

        assert (await coordinator.store.get(waiting.id)).state is JobState.CANCELLED


async def test_a_job_is_stopped_on_its_workers_while_nothing_can_be_kept(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with (
        running_worker(renderer) as worker,
        running_coordinator([worker.address], tmp_path) as coordinator,
    ):
        job = await coordinator.jobs.create(a_spec(hang=5))
        await eventually(lambda: bool(renderer.running))
        with busy_disk(coordinator):
            cancelling = asyncio.create_task(coordinator.jobs.cancel(job.id))

            await eventually(lambda: not renderer.running)
            assert not cancelling.done()

        assert (await cancelling).state is JobState.CANCELLED


async def test_a_job_that_is_cancelled_before_its_turn_keeps_no_chunks(tmp_path: Path) -> None:
    async with running_coordinator(["127.0.0.1:1"], tmp_path, most_running=1) as coordinator:
        running = await coordinator.jobs.create(a_spec())
        waiting = await coordinator.jobs.create(a_spec())
        of_an_earlier_process = tmp_path / "chunks" / waiting.id
        of_an_earlier_process.mkdir()

        await coordinator.jobs.cancel(waiting.id)

        assert not of_an_earlier_process.exists()
        await coordinator.jobs.cancel(running.id)


async def test_jobs_that_end_while_the_disk_is_busy_do_not_end_the_coordinator(
    tmp_path: Path,
) -> None:
    gate = asyncio.Semaphore(0)
    async with (
        running_worker(PictureRenderer(gate=gate), slots=2) as worker,
        running_coordinator([worker.address], tmp_path) as coordinator,
    ):
        jobs = [await coordinator.jobs.create(a_spec(frames=4, chunk_frames=2)) for _ in range(2)]
        await eventually(lambda: coordinator.jobs.queue.count(Phase.RUNNING) == 2)
        with busy_disk(coordinator):  # longer than the pump's pause
            for _ in range(4):
                gate.release()
            await eventually(lambda: len(list((tmp_path / "outputs").glob("*.mp4"))) == 2)
            await asyncio.sleep(0.3)

        states = [(await ended(coordinator, job)).state for job in jobs]

    assert states == [JobState.SUCCEEDED] * 2


async def test_strange_files_in_its_folders_do_not_keep_a_coordinator_from_starting(
    tmp_path: Path,
) -> None:
    left = tmp_path / "outputs" / ".assembly-1"
    left.mkdir(parents=True)
    (tmp_path / "chunks").mkdir()
    strange = [tmp_path / "outputs" / ".nfs0001", tmp_path / "chunks" / ".DS_Store"]
    for file in strange:
        file.touch()

    async with running_coordinator(["127.0.0.1:1"], tmp_path):
        assert not left.exists()
        assert all(file.exists() for file in strange)
