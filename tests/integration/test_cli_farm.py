"""The command line against a coordinator that plays a script."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import time
from pathlib import Path

import pytest

from coordinator.job import JobError, JobState, PageLogged, ProgressMade
from executors.base import Share
from framefarm import rendering
from framefarm.client import FarmClient
from framefarm.preparation import Place, prepare
from framefarm.rendering import run_job
from tests.support.command_line import framefarm, framefarm_command
from tests.support.eventually import eventually
from tests.support.fake_coordinator import VIDEO, Script, fake_coordinator, torn_seam

SHA256 = hashlib.sha256(VIDEO).hexdigest()
PLAYED = (ProgressMade(45, 90), PageLogged(chunk_index=0, level="log", text="hi"))
ENDLESS = Script(ends=JobState.RENDERING)
CANCEL_S = 30.0


@pytest.fixture
def page(tmp_path: Path) -> str:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<p>hello</p>")
    return str(tmp_path / "page")


async def test_render_on_a_farm_brings_the_video(page: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    async with fake_coordinator(tmp_path / "data", Script(events=PLAYED)) as (address, fake):
        ended = await framefarm(
            "render", page, "-o", str(output), "--frames", "90", "--farm", address, "--json"
        )

    assert ended.code == 0
    assert output.read_bytes() == VIDEO
    printed = json.loads(ended.out)
    assert printed.pop("seconds") > 0
    assert printed == {
        "job_id": "job-1",
        "output": str(output),
        "frames": 90,
        "sha256": SHA256,
        "warnings": [],
        "files": [{"path": str(output), "sha256": SHA256, "size_bytes": len(VIDEO)}],
    }
    assert len(fake.seen.blobs) == 1


async def test_quiet_says_nothing_and_verbose_tells_the_console(page: str, tmp_path: Path) -> None:
    request = ["render", page, "-o", str(tmp_path / "out.mp4"), "--frames", "90"]
    async with fake_coordinator(tmp_path / "data", Script(events=PLAYED)) as (address, _):
        quiet = await framefarm(*request, "-q", FRAMEFARM_FARM=address)
        verbose = await framefarm(*request, "-v", FRAMEFARM_FARM=address)

    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert verbose.code == 0
    assert "page, chunk 0, log: hi" in verbose.err.splitlines()


async def test_a_job_that_fails_with_pictures_leaves_them_beside_its_video(
    page: str, tmp_path: Path
) -> None:
    pictures = {"one.png": b"1", "other.png": b"2"}
    script = Script(ends=JobState.FAILED, error=torn_seam(pictures), pictures=pictures)
    async with fake_coordinator(tmp_path / "data", script) as (address, _):
        farm = ["--farm", address]
        request = ["render", page, "-o", str(tmp_path / "out.mp4"), "--frames", "90", *farm]
        rendered = await framefarm(*request)
        elsewhere = await framefarm(*request, "-q", "--pictures", str(tmp_path / "elsewhere"))
        watched = await framefarm("watch", "job-1", *farm)
        fetched = await framefarm("pictures", "job-1", "-o", str(tmp_path / "later"), *farm)
        script.pictures = {}
        lost = await framefarm(*request)

    assert (rendered.code, elsewhere.code, watched.code, lost.code) == (1, 1, 1, 1)
    told = [f"framefarm: see {tmp_path / 'out.pictures' / name}" for name in pictures]
    assert rendered.err.splitlines()[-2:] == told
    for folder in ("out.pictures", "elsewhere", "later"):
        found = {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        assert found == pictures
    hint = "framefarm: pictures of it: framefarm pictures job-1 -o DIR"
    assert watched.err.splitlines()[-1] == hint
    assert fetched.out.splitlines() == [str(tmp_path / "later" / name) for name in pictures]
    assert "the pictures of it did not come" in lost.err
    assert "frame 10 differs" in lost.err


async def test_submit_watch_and_download_from_other_shells(page: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    async with fake_coordinator(tmp_path / "data", Script(events=PLAYED)) as (address, _):
        farm = ["--farm", address]
        submitted = await framefarm("submit", page, "--duration", "3s", *farm)
        job_id = submitted.out.strip()
        watched = await framefarm("watch", job_id, "--progress", "json", "--json", *farm)
        downloaded = await framefarm("download", job_id, "-o", str(output), *farm)

    assert (submitted.code, submitted.out, submitted.err) == (0, "job-1\n", "")
    assert watched.code == 0
    told = [json.loads(line) for line in watched.err.splitlines()]
    assert [event["event"] for event in told][-3:] == ["page_logged", *["state_changed"] * 2]
    assert json.loads(watched.out)["output"]["sha256"] == SHA256
    assert downloaded.code == 0
    assert output.read_bytes() == VIDEO


async def test_jobs_and_workers_are_listed(page: str, tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path / "data") as (address, _):
        farm = ["--farm", address]
        for frames in ("90", "91"):
            await framefarm("submit", page, "--frames", frames, *farm)
        table = await framefarm("jobs", *farm)
        objects = await framefarm("jobs", "--json", *farm)
        workers = await framefarm("workers", *farm)
        worker_objects = await framefarm("workers", "--json", *farm)

    assert [line.split()[0] for line in table.out.splitlines()] == ["job", "job-2", "job-1"]
    assert [(job["job_id"], job["frames"]) for job in json.loads(objects.out)] == [
        ("job-2", [0, 91]),
        ("job-1", [0, 90]),
    ]
    assert workers.out.splitlines()[2].endswith("connection refused")
    assert [each["state"] for each in json.loads(worker_objects.out)] == ["ready", "unreachable"]


async def test_a_jobs_place_is_said_and_jobs_are_paused_and_deleted(
    page: str, tmp_path: Path
) -> None:
    full = ("STORAGE_FULL", "the disk is full; make room there")
    script = Script(ends=JobState.RENDERING, holds=(full,))
    async with fake_coordinator(tmp_path / "data", script) as (address, fake):
        farm = ["--farm", address]
        place = ["--priority", "80", "--weight", "2", "--max-slots", "3", "--after", "job-0"]
        said = ["--frames", "90", *place, "--after", "job-00", "--time-limit", "1m30s", *farm]
        submitted = await framefarm("submit", page, *said, FRAMEFARM_USER="ann")
        paused = await framefarm("pause", "job-1", *farm)
        listed = await framefarm("jobs", *farm)
        told = await framefarm("farm", *farm)
        spec = fake.jobs["job-1"].spec
        deleted = await framefarm("delete", "job-1", *farm)
        unknown = await framefarm("resume", "job-1", *farm)

    assert submitted.code == 0, submitted.err
    assert spec.share == Share(user="ann", priority=80, weight=2.0, most_slots=3)
    assert (spec.after, spec.time_limit_s) == (("job-0", "job-00"), 90.0)
    assert paused.err == "job job-1 is paused\n"
    row = listed.out.splitlines()[1].split()
    assert (row[1], row[5:7]) == ("paused", ["ann", "80"])
    assert told.out.splitlines() == [
        "the farm is paused: 3 chunks on 4 slots",
        "jobs: 2 running, 7 waiting, 0 waiting for others, 0 paused",
        "nothing begins: the disk is full; make room there (STORAGE_FULL)",
    ]
    assert (deleted.code, deleted.err) == (0, "job job-1 is deleted\n")
    assert unknown.code == 2
    assert fake.jobs == {}


async def test_a_failed_job_is_exit_1_in_the_pages_words(page: str, tmp_path: Path) -> None:
    error = JobError(reason="PAGE_ERROR", message="Error: boom", detail="at x.js:1", chunk_index=1)
    script = Script(ends=JobState.FAILED, error=error)
    output = tmp_path / "out.mp4"
    async with fake_coordinator(tmp_path / "data", script) as (address, _):
        farm = ["--farm", address, "--progress", "none"]
        cut = ["--frames", "90", "--chunk-frames", "30"]
        ended = await framefarm("render", page, "-o", str(output), *cut, *farm)
        watched = await framefarm("watch", "job-1", *farm)
        downloaded = await framefarm("download", "job-1", "-o", str(output), *farm[:2])

    assert [ended.code, watched.code, downloaded.code] == [1, 1, 1]
    told = [
        "Error: boom",
        "at x.js:1",
        "framefarm: job job-1 failed in chunk 1, frames [30, 60) (PAGE_ERROR)",
    ]
    assert ended.err.splitlines() == watched.err.splitlines() == downloaded.err.splitlines() == told
    assert not output.exists()


async def test_an_unknown_job_is_exit_2_and_a_silent_address_exit_1(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path / "data") as (address, _):
        unknown = await framefarm("watch", "job-9", "--farm", address)
    silent = await framefarm("jobs", "--farm", address)

    assert unknown.code == 2
    assert "'job-9'" in unknown.err
    assert silent.code == 1
    assert f"no coordinator answers at {address}" in silent.err
    assert "Traceback" not in unknown.err + silent.err


async def test_ctrl_c_cancels_the_job_and_waits_for_the_acknowledgement(
    page: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    async with (
        fake_coordinator(tmp_path / "data", Script(ends=JobState.RENDERING)) as (address, fake),
        framefarm_command(
            "render", page, "-o", str(output), "--frames", "90", "--farm", address
        ) as command,
    ):
        await eventually(lambda: fake.seen.watching == 1, within_s=60)
        command.signal(signal.SIGINT)
        ended = await command.ended()

        assert fake.seen.cancelled == ["job-1"]
        assert fake.jobs["job-1"].state is JobState.CANCELLED
    assert ended.code == 130
    assert ended.err.splitlines()[-2:] == [
        "interrupted: stopping (once more to end at once)",
        "job job-1 is cancelled; its work has ended on every worker",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "page"]


async def test_ctrl_c_before_anything_has_begun_ends_it_without_a_word(
    page: str, tmp_path: Path
) -> None:
    arguments = ("render", page, "-o", str(tmp_path / "out.mp4"), "--frames", "90")
    async with framefarm_command(*arguments, PYTHONPROFILEIMPORTTIME="1") as command:
        await command.said(" typer.main")  # and the rest is still to be imported
        command.signal(signal.SIGINT)
        ended = await command.ended()

    assert ended.code in (-signal.SIGINT, 130)  # which a shell calls the same
    assert "Traceback" not in ended.err


async def test_a_second_ctrl_c_ends_at_once(page: str, tmp_path: Path) -> None:
    script = Script(ends=JobState.RENDERING, cancel_takes_s=CANCEL_S)
    async with (
        fake_coordinator(tmp_path / "data", script) as (address, fake),
        framefarm_command(
            "render", page, "-o", str(tmp_path / "out.mp4"), "--frames", "90", "--farm", address
        ) as command,
    ):
        await eventually(lambda: fake.seen.watching == 1, within_s=60)
        command.signal(signal.SIGINT)
        await command.said("interrupted")
        began_s = time.monotonic()
        command.signal(signal.SIGINT)
        ended = await command.ended()

    assert ended.code == 130
    assert time.monotonic() - began_s < CANCEL_S


async def test_ctrl_c_leaves_a_watched_job_alone(page: str, tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path / "data", ENDLESS) as (address, fake):
        await framefarm("submit", page, "--frames", "90", "--farm", address)
        async with framefarm_command("watch", "job-1", "--farm", address) as command:
            await eventually(lambda: fake.seen.watching == 1, within_s=60)
            command.signal(signal.SIGINT)
            ended = await command.ended()

        assert ended.code == 130
        assert fake.seen.cancelled == []


class Heard:
    """A watcher that keeps what is said to it."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def created(self, job: object) -> None:
        pass

    def told(self, event: object) -> None:
        pass

    def said(self, message: str) -> None:
        self.words.append(message)


async def test_a_cancel_that_nobody_acknowledges_is_given_up_and_told(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "CANCEL_LIMIT_S", 0.2)
    script = Script(ends=JobState.RENDERING, cancel_takes_s=30)
    prepared = await prepare(page, {"frames": 90}, output=None, place=Place())
    heard = Heard()
    async with (
        fake_coordinator(tmp_path / "data", script) as (address, fake),
        FarmClient(address) as farm,
    ):
        running = asyncio.create_task(run_job(farm, prepared, heard))
        await eventually(lambda: fake.seen.watching == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert heard.words == ["the farm did not acknowledge the cancel within 0.2 s"]


async def test_a_watcher_that_raises_cancels_its_job(page: str, tmp_path: Path) -> None:
    class Broken(Heard):
        def told(self, event: object) -> None:
            raise RuntimeError("the user's own callback")

    prepared = await prepare(page, {"frames": 90}, output=None, place=Place())
    async with fake_coordinator(tmp_path / "data", ENDLESS) as (address, fake):
        async with FarmClient(address) as farm:
            with pytest.raises(RuntimeError, match="the user's own callback"):
                await run_job(farm, prepared, Broken())

        assert fake.seen.cancelled == ["job-1"]
