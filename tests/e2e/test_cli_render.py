"""`framefarm render` with all that is real: processes, gRPC, Chromium, ffmpeg."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

import framefarm
from coordinator.job import ProgressMade
from tests.support.command_line import Ended, framefarm_command, living_in
from tests.support.command_line import framefarm as run_framefarm
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers, video_size_px
from tests.support.pages import PAGES, tools_or_skip

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
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


@asynccontextmanager
async def not_found_everywhere() -> AsyncGenerator[str]:
    """A web server on loopback that has no page at all; yields a URL of it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(NOT_FOUND)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/none.html"


async def test_one_worker_or_two_the_bytes_are_the_same(tmp_path: Path, temporary: Path) -> None:
    request = ["render", COUNTER, "--frames", "75", "--chunk-frames", "20", *SMALL, "--json"]
    ended: list[Ended] = []
    for workers in ("1", "2"):
        files = ["-o", str(tmp_path / f"{workers}.mp4"), "--manifest", str(tmp_path / workers)]
        ended.append(
            await run_framefarm(*request, *files, "--workers", workers, temporary=temporary)
        )

    assert [each.code for each in ended] == [0, 0], ended[0].err + ended[1].err
    one, two = (json.loads(each.out) for each in ended)
    assert one["sha256"] == two["sha256"]
    assert one["frames"] == two["frames"] == 75
    assert hashlib.sha256((tmp_path / "2.mp4").read_bytes()).hexdigest() == two["sha256"]
    assert decode_frame_numbers(tmp_path / "2.mp4") == list(range(75))
    assert "requeued" not in ended[0].err + ended[1].err
    alone, shared = (
        [json.loads(line) for line in (tmp_path / workers).read_text().splitlines()]
        for workers in ("1", "2")
    )
    assert [row["frame"] for row in shared] == list(range(75))
    assert [row["chunk"] for row in shared] == [frame // 20 for frame in range(75)]
    assert len({row["digest"] for row in shared}) == 75
    assert [row["digest"] for row in shared] == [row["digest"] for row in alone]
    assert [len({row["worker"] for row in rows}) for rows in (alone, shared)] == [1, 2]
    assert_nothing_is_left(tmp_path, temporary, but=("1", "1.mp4", "2", "2.mp4"))


async def test_a_page_error_is_told_first_and_leaves_nothing(
    tmp_path: Path, temporary: Path
) -> None:
    ended = await run_framefarm(
        *["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "90", *SMALL],
        *["--chunk-frames", "30", "--workers", "2", "--props", '{"throw": 45}'],
        *["--progress", "none"],
        temporary=temporary,
    )

    assert ended.code == 1
    begun, message, stack, *_ = ended.err.splitlines()
    assert begun == "starting a farm of 2 workers here"
    assert message == "Error: the page gave up at frame 45"
    assert "counter.html" in stack
    assert "Traceback" not in ended.err
    assert_nothing_is_left(tmp_path, temporary)


async def test_a_url_that_answers_404_fails_in_seconds(tmp_path: Path, temporary: Path) -> None:
    began_s = time.monotonic()
    async with not_found_everywhere() as url:
        ended = await run_framefarm(
            *["render", url, "-o", str(tmp_path / "out.mp4"), "--frames", "900", *SMALL],
            *["--workers", "1", "--progress", "none"],
            temporary=temporary,
        )

    assert ended.code == 1
    assert ended.err.splitlines()[1] == f"{url} answers with status 404"
    assert time.monotonic() - began_s < 120
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
        ended = await command.ended()

    assert ended.code == 130
    assert "its work has ended on every worker" in ended.err
    assert time.monotonic() - began_s < 60
    assert_nothing_is_left(tmp_path, temporary)


async def test_ctrl_c_while_the_farm_starts_leaves_nothing_either(
    tmp_path: Path, temporary: Path
) -> None:
    request = ["render", COUNTER, "-o", str(tmp_path / "out.mp4"), "--frames", "9000", *SMALL]
    async with framefarm_command(*request, "--workers", "2", temporary=temporary) as command:
        await command.said("starting a farm")
        await eventually(lambda: len(living_in(temporary)) >= 3, within_s=60)
        command.signal(signal.SIGINT)
        ended = await command.ended()

    assert ended.code == 130
    assert "Traceback" not in ended.err
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

    await eventually(lambda: living_in(temporary) == [], within_s=60)


async def test_a_farm_started_by_hand_serves_other_shells(tmp_path: Path, temporary: Path) -> None:
    output = tmp_path / "out.mp4"
    async with AsyncExitStack() as stack:

        async def serving(*arguments: str) -> str:
            command = await stack.enter_async_context(
                framefarm_command(*arguments, temporary=temporary)
            )
            return await command.first_line()

        async def shell(*arguments: str) -> Ended:
            return await run_framefarm(*arguments, FRAMEFARM_FARM=address)

        place = ["--listen", "127.0.0.1:0", "--data-dir"]
        fleet = [await serving("worker", *place, str(temporary / name)) for name in ("w1", "w2")]
        address = await serving(
            "coordinator", *place, str(temporary / "c"), "--workers", ",".join(fleet)
        )
        submitted = await shell("submit", COUNTER, "--frames", "60", *SMALL)
        watched = await shell("watch", submitted.out.strip())
        downloaded = await shell("download", submitted.out.strip(), "-o", str(output))
        jobs = await shell("jobs", "--json")
        workers = await shell("workers", "--json")

    assert [submitted.code, watched.code, downloaded.code] == [0, 0, 0], watched.err
    assert decode_frame_numbers(output) == list(range(60))
    assert [(job["job_id"], job["state"]) for job in json.loads(jobs.out)] == [
        (submitted.out.strip(), "succeeded")
    ]
    assert {worker["address"] for worker in json.loads(workers.out)} == set(fleet)


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


async def test_what_is_missing_stands_in_the_last_lines_and_in_the_object(
    tmp_path: Path, temporary: Path
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    page.joinpath("index.html").write_text("<body><img src=no.png><img src=none.png>")
    given = ["render", str(page), "-o", str(tmp_path / "out.mp4"), *SMALL, "--frames", "8"]
    warnings = ["image /no.png: status 404", "image /none.png: status 404"]

    spread = [*given, "--chunk-frames", "4", "--workers", "2", "--json", "--progress", "none"]
    ended = await run_framefarm(*spread, temporary=temporary)
    strict = await run_framefarm(*given, "--strict", temporary=temporary)

    assert sorted(json.loads(ended.out)["warnings"]) == warnings
    assert sorted(ended.err.splitlines()[-2:]) == [f"warning: {text}" for text in warnings]
    assert strict.code == 1
    assert "a strict render fails" in strict.err
