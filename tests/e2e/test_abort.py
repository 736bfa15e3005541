"""What ends a job ends it everywhere, and what ends a worker does not end the job."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from coordinator.job import Job, JobSpec, JobState, ProgressMade, StateChanged
from framefarm.client import FarmClient
from framefarm.local_farm import local_farm
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import PAGES, page_settings, tools_or_skip


def at_work() -> set[str]:
    """What of Chromium and ffmpeg lives below this process; "page" is an open one."""
    found = set[str]()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.add("page" if "--type=renderer" in process.cmdline() else process.name())
    return {name for name in found if name.startswith(("page", "chrom", "headless", "ffmpeg"))}


@asynccontextmanager
async def a_farm() -> AsyncGenerator[FarmClient]:
    tools_or_skip()
    async with local_farm(workers=3) as address, FarmClient(address) as client:
        yield client


async def submitted(client: FarmClient, frames: int, props: str = "{}") -> Job:
    page = BundleEntry(await client.upload(PAGES), "counter.html")
    settings = page_settings(props_json=props)
    spec = JobSpec(
        composition=page,
        settings=settings,
        frames=FrameRange(0, frames),
        chunk_frames=-(-frames // 3),
    )
    return await client.create(spec)


async def test_when_a_job_has_failed_nothing_of_it_runs() -> None:
    async with a_farm() as client:
        job = await submitted(client, 90, '{"throw": 45}')
        async with client.watch(job.id) as events:
            async for event in events:
                if isinstance(event.event, StateChanged) and event.event.state.is_final:
                    break
            left = at_work()
        failed = await client.get(job.id)

    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error.message == "Error: the page gave up at frame 45"
    assert not left & {"page", "ffmpeg"}  # a worker that was done keeps its browser, bare


async def test_a_cancel_is_told_when_the_last_browser_and_encoder_are_gone() -> None:
    async with a_farm() as client:
        job = await submitted(client, 30_000)
        async with client.watch(job.id) as events:
            async for event in events:
                if isinstance(event.event, ProgressMade):
                    break
        await eventually(lambda: len(at_work()) > 1)

        began_s = time.monotonic()
        cancelled = await client.cancel(job.id)
        took_s = time.monotonic() - began_s
        left = at_work()

    assert cancelled.state is JobState.CANCELLED
    assert left == set()
    print(f"cancelled in {took_s:.2f} s")


async def test_a_worker_that_is_killed_leaves_no_browser_and_does_not_show_in_the_video(
    tmp_path: Path,
) -> None:
    digests = []
    for is_disturbed in (False, True):
        async with a_farm() as client:
            job = await submitted(client, 240)
            if is_disturbed:
                await kill_a_worker_at_work()
            ended = await client.wait(job.id)
            output = await client.download(job.id, tmp_path / "out.mp4")
        assert ended.state is JobState.SUCCEEDED
        assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(240))
        digests.append(output.sha256)

    assert digests[0] == digests[1]


async def kill_a_worker_at_work() -> None:
    """SIGKILL one, and see its browser end by itself."""
    await eventually(lambda: len(browsers_of_a_worker()) > 0, within_s=60)
    worker, *browsers = browsers_of_a_worker()

    worker.kill()

    await eventually(lambda: not any(map(is_alive, browsers)))


def browsers_of_a_worker() -> list[psutil.Process]:
    """A worker that renders now, and the processes of its browser; none: nothing renders yet."""
    for process in psutil.Process().children():
        below = process.children(recursive=True)
        if "worker" in process.cmdline() and any("chrom" in child.name() for child in below):
            return [process, *below]
    return []


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
