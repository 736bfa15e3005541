"""What is left when an encoding does not come to its end: an error that says why, and nothing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from renderer.encode.ffmpeg import Encoder, PictureStream, encoding, run_ffmpeg
from renderer.errors import EncoderError, MissingToolError
from renderer.frames import FrameRange
from renderer.picture import Picture
from tests.support.chunks import FFMPEG, chunk_settings
from tests.support.eventually import eventually
from tests.support.pictures import numbered_picture, of_image, plain_picture

STREAM = PictureStream(width_px=400, height_px=64)
PICTURE = numbered_picture(1)


def chunk(output: Path, *, frames: int = 1000) -> AbstractAsyncContextManager[Encoder]:
    return encoding(FFMPEG, STREAM, chunk_settings(), output, frames=FrameRange(0, frames))


def ffmpeg_children() -> list[psutil.Process]:
    """The ffmpeg processes that this process started and that are not reaped yet."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "ffmpeg" in child.name()]


async def test_a_killed_ffmpeg_raises_at_a_write_and_leaves_no_file(tmp_path: Path) -> None:
    output = tmp_path / "c.mp4"

    async def fill() -> None:
        async with chunk(output) as encoder:
            await encoder.write(PICTURE)
            (ffmpeg,) = ffmpeg_children()
            os.kill(ffmpeg.pid, signal.SIGKILL)
            while True:
                await encoder.write(PICTURE)

    with pytest.raises(EncoderError, match="ffmpeg was ended by SIGKILL"):
        async with asyncio.timeout(60):
            await fill()

    assert not ffmpeg_children()
    assert not list(tmp_path.iterdir())


async def test_a_killed_ffmpeg_raises_at_the_finish_and_leaves_no_file(tmp_path: Path) -> None:
    async def render() -> None:
        async with chunk(tmp_path / "c.mp4", frames=1) as encoder:
            await encoder.write(PICTURE)
            os.kill(ffmpeg_children()[0].pid, signal.SIGKILL)
            await encoder.finish()

    with pytest.raises(EncoderError, match="SIGKILL"):
        await render()

    assert not list(tmp_path.iterdir())


async def test_cancelling_a_write_that_waits_for_room_leaves_no_process_and_no_file(
    tmp_path: Path,
) -> None:
    stuck = asyncio.Event()

    async def render() -> None:
        async with chunk(tmp_path / "c.mp4") as encoder:
            await encoder.write(PICTURE)
            os.kill(ffmpeg_children()[0].pid, signal.SIGSTOP)
            stuck.set()
            while True:
                await encoder.write(PICTURE)

    task = asyncio.create_task(render())
    await stuck.wait()
    task.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([task])

    assert task.cancelled()
    assert not ffmpeg_children()
    assert not list(tmp_path.iterdir())


async def test_writing_waits_for_an_ffmpeg_that_does_not_read(tmp_path: Path) -> None:
    noise = of_image(Image.frombytes("RGB", (400, 64), random.Random(0).randbytes(400 * 64 * 3)))
    async with chunk(tmp_path / "c.mp4") as encoder:
        await encoder.write(noise)
        (ffmpeg,) = ffmpeg_children()
        os.kill(ffmpeg.pid, signal.SIGSTOP)

        written_before_stall = await _write_until_it_waits(encoder, noise)

        assert written_before_stall <= 1 << 20  # what the pipe holds, and nothing in our memory


async def test_an_error_of_the_caller_goes_through_and_leaves_nothing(tmp_path: Path) -> None:
    async def render() -> None:
        async with chunk(tmp_path / "c.mp4", frames=1) as encoder:
            await encoder.write(PICTURE)
            await encoder.finish()
            raise LookupError("the page is gone")

    with pytest.raises(LookupError):
        await render()

    assert not ffmpeg_children()
    assert not list(tmp_path.iterdir())


async def test_an_encoding_that_is_left_without_a_finish_leaves_no_file(tmp_path: Path) -> None:
    async with chunk(tmp_path / "c.mp4") as encoder:
        await encoder.write(PICTURE)

    assert not list(tmp_path.iterdir())


async def test_a_chunk_that_lacks_frames_is_refused(tmp_path: Path) -> None:
    async with chunk(tmp_path / "c.mp4", frames=3) as encoder:
        for told in range(3):
            with pytest.raises(EncoderError, match=f"a chunk of 3 frames got {told} pictures"):
                await encoder.finish()
            await encoder.write(PICTURE)


async def test_a_picture_too_many_is_refused(tmp_path: Path) -> None:
    async with chunk(tmp_path / "c.mp4", frames=1) as encoder:
        await encoder.write(PICTURE)
        with pytest.raises(EncoderError, match="a chunk of 1 frames got one picture more"):
            await encoder.write(PICTURE)


async def test_a_picture_of_another_size_is_refused_by_its_number(tmp_path: Path) -> None:
    async with chunk(tmp_path / "c.mp4") as encoder:
        await encoder.write(PICTURE)
        with pytest.raises(EncoderError, match="picture 1 has 64x64 px, the stream 400x64 px"):
            await encoder.write(plain_picture((1, 2, 3)))


async def test_a_folder_that_cannot_be_written_is_told_in_ffmpegs_words(tmp_path: Path) -> None:
    async def render() -> None:
        gone = tmp_path / "gone" / "c.mp4"
        async with chunk(gone, frames=1) as encoder:
            await encoder.write(PICTURE)
            await encoder.finish()

    with pytest.raises(EncoderError, match="No such file or directory"):
        await render()


async def test_an_ffmpeg_that_is_not_there_is_a_missing_tool(tmp_path: Path) -> None:
    output = tmp_path / "c.mp4"
    with pytest.raises(MissingToolError, match="/nowhere/ffmpeg cannot be started"):
        async with encoding(
            Path("/nowhere/ffmpeg"), STREAM, chunk_settings(), output, frames=FrameRange(0, 1)
        ):
            pass


async def test_a_run_that_fails_takes_its_file_with_it(tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    output.write_bytes(b"what ffmpeg had written so far")

    with pytest.raises(EncoderError, match=r"missing\.wav"):
        await run_ffmpeg([str(FFMPEG), "-y", "-i", f"{tmp_path}/missing.wav", str(output)], output)

    assert not output.exists()


async def test_cancelling_a_run_ends_its_whole_process_group(tmp_path: Path) -> None:
    task, grandchild = await a_run_with_a_grandchild(tmp_path / "out")

    task.cancel()
    async with asyncio.timeout(60):
        await asyncio.wait([task])

    assert task.cancelled()
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "out").exists()


async def test_cancelling_a_run_that_is_still_being_started_ends_the_group_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, goes_on = asyncio.get_running_loop(), asyncio.Event()
    connect = loop.connect_read_pipe

    async def connect_late(*given: Any) -> Any:
        await goes_on.wait()
        return await connect(*given)

    monkeypatch.setattr(loop, "connect_read_pipe", connect_late)
    task, grandchild = await a_run_with_a_grandchild(tmp_path / "out")

    task.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    async with asyncio.timeout(60):
        await asyncio.wait([task])

    assert task.cancelled()
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "out").exists()


async def a_run_with_a_grandchild(output: Path) -> tuple[asyncio.Task[None], psutil.Process]:
    script = f"sleep 600 & echo $! > {output}; wait"
    task = asyncio.create_task(run_ffmpeg(["/bin/sh", "-c", script], output))
    await eventually(lambda: output.exists() and bool(output.read_text().strip()))
    return task, psutil.Process(int(output.read_text()))


async def test_only_the_end_of_a_long_complaint_is_kept(tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 30000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3"

    with pytest.raises(EncoderError) as failed:
        await run_ffmpeg(["/bin/sh", "-c", script], tmp_path / "out")

    assert "exit code 3" in str(failed.value)
    assert str(failed.value).endswith("line 29998; line 29999")
    assert len(str(failed.value)) < 500


async def _write_until_it_waits(encoder: Encoder, picture: Picture) -> int:
    """How many bytes go in until a write has not returned for 0.3 s."""
    written = 0
    while True:
        try:
            async with asyncio.timeout(0.3):
                await encoder.write(picture)
        except TimeoutError:
            return written
        written += len(picture.pixels)
