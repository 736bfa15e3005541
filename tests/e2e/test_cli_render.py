"""`framefarm render` with all that is real: processes, gRPC, Chromium, ffmpeg."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from pathlib import Path

import pytest

import framefarm
from coordinator.job import ProgressMade
from tests.support.command_line import Ended, framefarm_command, living_in
from tests.support.command_line import framefarm as run_framefarm
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers, video_size_px
from tests.support.pages import PAGES, tools_or_skip

SMALL = ["--width", "480", "--height", "270", "--preset", "ultrafast"]
COUNTER = str(PAGES / "counter.html")


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the command and all it starts have their temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def assert_nothing_is_left(folder: Path, temporary: Path, *, but: tuple[str, ...] = ()) -> None:
    assert living_in(temporary) == []
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(["tmp", *but])


async def test_one_worker_or_two_the_bytes_are_the_same(tmp_path: Path, temporary: Path) -> None:
    request = ["render", COUNTER, "--frames", "75", "--chunk-frames", "20", *SMALL, "--json"]
    ended: list[Ended] = []
    for workers in ("1", "2"):
        output = str(tmp_path / f"{workers}.mp4")
        ended.append(
            await run_framefarm(*request, "-o", output, "--workers", workers, temporary=temporary)
        )

    assert [each.code for each in ended] == [0, 0], ended[0].err + ended[1].err
    one, two = (json.loads(each.out) for each in ended)
    assert one["sha256"] == two["sha256"]
    assert one["frames"] == two["frames"] == 75
    assert hashlib.sha256((tmp_path / "2.mp4").read_bytes()).hexdigest() == two["sha256"]
    assert decode_frame_numbers(tmp_path / "2.mp4") == list(range(75))
    assert_nothing_is_left(tmp_path, temporary, but=("1.mp4", "2.mp4"))


async def test_a_page_error_is_told_first_and_leaves_nothing(
    tmp_path: Path, temporary: Path
) -> None:
    ended = await run_framefarm(
        *["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "90", *SMALL],
        *["--workers", "2", "--props", '{"throw": 45}', "--progress", "none"],
        temporary=temporary,
    )

    assert ended.code == 1
    begun, message, stack, *_ = ended.err.splitlines()
    assert begun == "starting a farm of 2 workers here"
    assert message == "Error: the page gave up at frame 45"
    assert "counter.html" in stack
    assert "Traceback" not in ended.err
    assert_nothing_is_left(tmp_path, temporary)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--canvas", "#nothing"], "#nothing"),
        (["--target", "#nothing"], "#nothing"),
    ],
)
async def test_what_is_not_on_the_page_is_told_in_seconds(
    options: list[str], told: str, tmp_path: Path, temporary: Path
) -> None:
    began_s = time.monotonic()
    ended = await run_framefarm(
        *["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "900", *SMALL, *options],
        *["--workers", "1", "--progress", "none"],
        temporary=temporary,
    )

    assert ended.code == 1
    assert told in ended.err.splitlines()[1]
    assert time.monotonic() - began_s < 60
    assert_nothing_is_left(tmp_path, temporary)


async def test_ctrl_c_stops_everything_and_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    request = ["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "9000", *SMALL]
    async with framefarm_command(
        *request, "--workers", "2", "--progress", "json", temporary=temporary
    ) as command:
        await command.said('"progress_made"')
        assert len(living_in(temporary)) > 3
        began_s = time.monotonic()
        command.signal(signal.SIGINT)
        ended = await command.ended(within_s=30)

    assert ended.code == 130
    assert "its work has ended on every worker" in ended.err
    assert time.monotonic() - began_s < 15
    assert_nothing_is_left(tmp_path, temporary)


async def test_a_command_that_is_killed_takes_its_farm_with_it(
    tmp_path: Path, temporary: Path
) -> None:
    request = ["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "9000", *SMALL]
    async with framefarm_command(
        *request, "--workers", "1", "--progress", "json", temporary=temporary
    ) as command:
        await command.said('"progress_made"')
        command.signal(signal.SIGKILL)
        await command.ended()

    await eventually(lambda: living_in(temporary) == [], within_s=20)


async def test_the_library_takes_the_same_way(tmp_path: Path) -> None:
    told: list[ProgressMade] = []

    def on_progress(event: framefarm.JobEvent) -> None:
        if isinstance(event.event, ProgressMade):
            told.append(event.event)

    video = await framefarm.render(
        PAGES / "counter.html",
        tmp_path / "out.mp4",
        width_px=480,
        height_px=270,
        fps="30000/1001",
        duration="1s",
        preset="ultrafast",
        workers=1,
        on_progress=on_progress,
    )

    assert video.output == tmp_path / "out.mp4"
    assert video.sha256 == hashlib.sha256(video.output.read_bytes()).hexdigest()
    assert video.frames == 30
    assert video_size_px(video.output) == (480, 270)
    assert decode_frame_numbers(video.output) == list(range(30))
    done = [event.frames_done for event in told]
    assert done == sorted(done)
    assert done[-1] == 30
