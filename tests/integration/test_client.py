"""FarmClient against a coordinator that plays a script, over real gRPC."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from coordinator.job import JobError, JobSpec, JobState, PageLogged, ProgressMade, StateChanged
from framefarm.client import FarmClient
from framefarm.errors import (
    CallFailedError,
    DownloadDamagedError,
    FarmUnreachableError,
    JobFailedError,
    NoSuchJobError,
    RequestRefusedError,
)
from framefarm.farm_worker import FarmWorkerState
from protos.framefarm.v1 import coordinator_pb2 as pb
from renderer.bundle import manifest_of
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from renderer.settings import RenderSettings
from tests.support.eventually import eventually
from tests.support.fake_coordinator import VIDEO, Script, fake_coordinator, torn_seam

if TYPE_CHECKING:
    from pathlib import Path

PROGRESS = tuple(ProgressMade(done, 90) for done in (0, 30, 60, 90))


def a_spec() -> JobSpec:
    return JobSpec(
        composition=PageUrl("http://127.0.0.1/"),
        settings=RenderSettings(),
        frames=FrameRange(0, 90),
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<p>hello</p>")
    (folder / "empty.css").write_text("")
    (folder / "big.bin").write_bytes(b"0123456789abcdef" * 200_000)
    return folder


async def test_upload_sends_only_the_blobs_that_are_missing(page: Path, tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path / "data") as (address, fake), FarmClient(address) as farm:
        first = await farm.upload(page)
        sent_first = list(fake.seen.blobs)
        (page / "index.html").write_text("<p>changed</p>")
        second = await farm.upload(page)
        third = await farm.upload(page)

    assert len(sent_first) == 3
    assert fake.seen.blobs[3:] == [hashlib.sha256(b"<p>changed</p>").hexdigest()]
    assert second == third != first
    stored = fake.store.files(second)
    assert {path: blob.read_bytes() for path, blob in stored.items()} == {
        path.name: path.read_bytes() for path in page.iterdir()
    }


async def test_upload_leaves_out_what_it_is_told_to(page: Path, tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path / "data") as (address, fake), FarmClient(address) as farm:
        digest = await farm.upload(page, leave_out=[page / "big.bin"])

    assert sorted(fake.store.files(digest)) == ["empty.css", "index.html"]


async def test_a_file_that_changes_while_it_is_sent_is_refused(page: Path, tmp_path: Path) -> None:
    manifest = manifest_of(page)
    (page / "index.html").write_text("<p>HELLO</p>")

    async with fake_coordinator(tmp_path / "data") as (address, _), FarmClient(address) as farm:
        with pytest.raises(RequestRefusedError, match="holds other bytes than its digest"):
            await farm.send(page, manifest)


async def test_a_refused_request_lists_its_violations(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, _), FarmClient(address) as farm:
        request = pb.CreateJobRequest(spec=pb.JobSpec())
        with pytest.raises(RequestRefusedError) as refused:
            await farm._calls.ask(lambda: farm._stub.CreateJob(request))

    assert [violation.field for violation in refused.value.violations] == ["composition"]


async def test_the_same_request_id_gives_the_same_job(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, fake), FarmClient(address) as farm:
        one = await farm.create(a_spec(), request_id="once")
        again = await farm.create(a_spec(), request_id="once")
        other = await farm.create(a_spec())

    assert one.id == again.id != other.id
    assert len(fake.jobs) == 2


async def test_watch_tells_every_event_and_ends_with_the_job(tmp_path: Path) -> None:
    async with (
        fake_coordinator(tmp_path, Script(events=PROGRESS)) as (address, _),
        FarmClient(address) as farm,
    ):
        job = await farm.create(a_spec())
        async with farm.watch(job.id) as events:
            told = [event async for event in events]

    assert [event.sequence for event in told] == list(range(1, 8))
    assert tuple(event.event for event in told[1:5]) == PROGRESS
    assert told[-1].event == StateChanged(JobState.SUCCEEDED)


async def test_watch_goes_on_where_the_stream_broke(tmp_path: Path) -> None:
    script = Script(events=PROGRESS, watch_breaks_after=3)
    async with fake_coordinator(tmp_path, script) as (address, fake), FarmClient(address) as farm:
        job = await farm.create(a_spec())
        async with farm.watch(job.id) as events:
            told = [event.sequence async for event in events]

    assert told == list(range(1, 8))
    assert fake.seen.watched_after == [0, 3]


async def test_leaving_a_watch_ends_its_call(tmp_path: Path) -> None:
    script = Script(ends=JobState.RENDERING)
    async with fake_coordinator(tmp_path, script) as (address, fake), FarmClient(address) as farm:
        job = await farm.create(a_spec())
        async with farm.watch(job.id) as events:
            async for _ in events:
                assert fake.seen.watching == 1
                break

        await eventually(lambda: fake.seen.watching == 0)


async def test_a_coordinator_that_stays_away_is_told_after_a_bounded_time(tmp_path: Path) -> None:
    script = Script(ends=JobState.RENDERING)
    async with fake_coordinator(tmp_path, script) as (address, fake):
        farm = await FarmClient(address, patience_s=0.4).__aenter__()
        job = await farm.create(a_spec())
        waiting = asyncio.create_task(farm.wait(job.id))
        await eventually(lambda: fake.seen.watching == 1)

    async with asyncio.timeout(40):  # and not for the minute that it may be
        with pytest.raises(FarmUnreachableError, match=address):
            await waiting
    await farm.__aexit__(None, None, None)


async def test_an_address_where_nobody_ever_answered_is_told_at_once(deaf_port: int) -> None:
    async with asyncio.timeout(40), FarmClient(f"127.0.0.1:{deaf_port}") as farm:
        with pytest.raises(FarmUnreachableError, match=str(deaf_port)):
            await farm.jobs()


async def test_a_job_that_nobody_knows_is_named(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, _), FarmClient(address) as farm:
        for ask in (farm.get, farm.cancel, farm.wait):
            with pytest.raises(NoSuchJobError, match="job-77"):
                await ask("job-77")


async def test_download_goes_on_where_the_stream_broke(tmp_path: Path) -> None:
    script = Script(download_breaks_after=1 << 19)
    output = tmp_path / "out.mp4"
    async with (
        fake_coordinator(tmp_path / "data", script) as (address, fake),
        FarmClient(address) as farm,
    ):
        job = await farm.create(a_spec())
        facts = await farm.download(job.id, output)

    assert output.read_bytes() == VIDEO
    assert facts.sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert fake.seen.offsets == [0, 1 << 19]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(promised_sha256="0" * 64), id="other bytes"),
        pytest.param(Script(video=b"", promised_sha256="0" * 64), id="no bytes"),
    ],
)
async def test_a_damaged_download_leaves_what_was_there(tmp_path: Path, script: Script) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.mp4").write_bytes(b"yesterday's video")

    async with (
        fake_coordinator(tmp_path / "data", script) as (address, _),
        FarmClient(address) as farm,
    ):
        job = await farm.create(a_spec())
        with pytest.raises(DownloadDamagedError, match="0" * 64):
            await farm.download(job.id, folder / "out.mp4")

    assert [path.name for path in folder.iterdir()] == ["out.mp4"]
    assert (folder / "out.mp4").read_bytes() == b"yesterday's video"


async def test_a_job_of_an_older_version_has_no_manifest(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, _), FarmClient(address) as farm:
        job = await farm.create(a_spec())

        with pytest.raises(CallFailedError, match="render it again") as caught:
            await farm.download_manifest(job.id, tmp_path / "frames.jsonl")

    assert caught.value.reason == "NO_MANIFEST"
    assert not (tmp_path / "frames.jsonl").exists()


async def test_there_is_no_download_before_the_end_or_of_a_failed_job(tmp_path: Path) -> None:
    script = Script(ends=JobState.RENDERING)
    async with fake_coordinator(tmp_path, script) as (address, _), FarmClient(address) as farm:
        running = await farm.create(a_spec())
        with pytest.raises(CallFailedError, match="is rendering, frame 0 of 90"):
            await farm.download(running.id, tmp_path / "out.mp4")
        script.ends, script.error = JobState.FAILED, JobError(reason="PAGE_ERROR", message="boom")
        failed = await farm.create(a_spec())
        with pytest.raises(JobFailedError, match="boom"):
            await farm.download(failed.id, tmp_path / "out.mp4")

    assert not (tmp_path / "out.mp4").exists()


async def test_pictures_of_a_failure_come_into_a_folder_that_is_made_for_them(
    tmp_path: Path,
) -> None:
    pictures = {"one.png": b"1" * 5, "other.png": b"2" * 300_000}
    script = Script(ends=JobState.FAILED, error=torn_seam(pictures), pictures=pictures)
    folder = tmp_path / "deep" / "pictures"
    async with (
        fake_coordinator(tmp_path / "data", script) as (address, _),
        FarmClient(address) as farm,
    ):
        failed = await farm.create(a_spec())
        brought = await farm.download_pictures(failed.id, folder)
        script.ends = JobState.SUCCEEDED
        fine = await farm.create(a_spec())
        none = await farm.download_pictures(fine.id, tmp_path / "none")

    assert {path.name: path.read_bytes() for path in brought} == pictures
    assert sorted(folder.iterdir()) == brought
    assert none == []
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["../out.png", "/tmp/out.png", "..", ""])
async def test_no_farm_writes_where_it_was_not_asked_to(tmp_path: Path, name: str) -> None:
    pictures = {name: b"1"}
    script = Script(ends=JobState.FAILED, error=torn_seam(pictures), pictures=pictures)
    async with (
        fake_coordinator(tmp_path / "data", script) as (address, _),
        FarmClient(address) as farm,
    ):
        failed = await farm.create(a_spec())
        with pytest.raises(DownloadDamagedError, match="that is no name"):
            await farm.download_pictures(failed.id, tmp_path / "pictures")

    assert [*(tmp_path / "pictures").iterdir()] == []


async def test_a_cancelled_job_ends_its_watchers(tmp_path: Path) -> None:
    script = Script(
        ends=JobState.RENDERING, events=(PageLogged(chunk_index=0, level="log", text="hi"),)
    )
    async with fake_coordinator(tmp_path, script) as (address, fake), FarmClient(address) as farm:
        job = await farm.create(a_spec())
        waiting = asyncio.create_task(farm.wait(job.id))
        await eventually(lambda: fake.seen.watching == 1)

        cancelled = await farm.cancel(job.id)

        assert cancelled.state is JobState.CANCELLED
        assert (await waiting).state is JobState.CANCELLED


async def test_jobs_are_listed_newest_first_over_pages(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, _), FarmClient(address) as farm:
        made = [(await farm.create(a_spec())).id for _ in range(5)]
        listed = [job.id for job in await farm.jobs()]
        some = [job.id for job in await farm.jobs(limit=2)]

    assert listed == made[::-1]
    assert some == made[:2:-1]


async def test_workers_are_told_with_what_is_wrong_with_them(tmp_path: Path) -> None:
    async with fake_coordinator(tmp_path) as (address, _), FarmClient(address) as farm:
        one, two = await farm.workers()

    assert (one.name, one.state, one.slots, one.free_slots) == ("one", FarmWorkerState.READY, 2, 1)
    assert (two.state, two.problem) == (FarmWorkerState.UNREACHABLE, "connection refused")


@pytest.fixture
def deaf_port() -> Generator[int]:
    """One that refuses connections: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
