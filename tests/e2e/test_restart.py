"""A farm of real processes: the coordinator is killed in the middle of a job and started again."""

from __future__ import annotations

import signal
from pathlib import Path

import framefarm
from framefarm.client import FarmClient
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from tests.support.command_line import CommandLine, framefarm_command
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import PAGES, page_settings, tools_or_skip

FRAMES = 240  # of which enough are left to do when two chunks are seen
CHUNK_FRAMES = 20


def a_spec(digest: str) -> framefarm.JobSpec:
    return framefarm.JobSpec(
        composition=BundleEntry(digest, "counter.html"),
        settings=page_settings(),
        frames=FrameRange(0, FRAMES),
        chunk_frames=CHUNK_FRAMES,
    )


def notes(data_dir: Path) -> dict[Path, int]:
    """The finished chunks that the coordinator keeps, and when each was finished."""
    return {note: note.stat().st_mtime_ns for note in data_dir.glob("chunks/*/*.json")}


async def killed(command: CommandLine) -> None:
    command.signal(signal.SIGKILL)
    await command.ended()


async def test_a_killed_coordinator_goes_on_where_it_stopped(tmp_path: Path) -> None:
    tools_or_skip()
    data_dir, output = tmp_path / "coordinator", tmp_path / "out.mp4"
    data = ("--data-dir", str(tmp_path / "worker"))
    worker_options = ("--listen", "127.0.0.1:0", "--slots", "1", *data)
    async with framefarm_command("worker", *worker_options) as worker:
        fleet = await worker.first_line()
        options = ("--listen", "127.0.0.1:0", "--workers", fleet, "--data-dir", str(data_dir))
        async with framefarm_command("coordinator", *options) as first:
            async with FarmClient(await first.first_line()) as farm:
                job = await farm.create(a_spec(await farm.upload(PAGES)))
                await eventually(lambda: len(notes(data_dir)) >= 2, within_s=60)
            await killed(first)
        finished = notes(data_dir)

        async with (
            framefarm_command("coordinator", *options) as second,
            FarmClient(await second.first_line()) as farm,
        ):
            async with farm.watch(job.id) as events:
                seen = [event async for event in events]
            ended = await farm.wait(job.id)
            await farm.download(job.id, output)

    rendered_again = [
        event.event.index
        for event in seen
        if isinstance(event.event, framefarm.ChunkMoved) and event.event.state == "rendering"
    ]
    assert ended.state is framefarm.JobState.SUCCEEDED
    assert 2 <= len(finished) < FRAMES // CHUNK_FRAMES
    assert len(rendered_again) <= FRAMES // CHUNK_FRAMES + 1  # one was on its way
    assert decode_frame_numbers(output) == list(range(FRAMES))
    assert notes(data_dir) == {}
