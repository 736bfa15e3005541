"""What is kept of jobs, here and in a store elsewhere, and how it goes."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from coordinator.artifacts.folder import FolderArtifacts, open_folder
from coordinator.artifacts.shelf import Shelf
from coordinator.job import Job, JobError, JobState, Output, StoredPicture
from coordinator.job_files import PREVIEWS, FolderJobFiles
from executors.errors import StorageDownError
from tests.support.tasks import a_job

NOW = datetime.now(UTC)


class DownArtifacts(FolderArtifacts):
    """A store that nobody reaches."""

    async def delete(self, *keys: str) -> NoReturn:
        raise StorageDownError("it is down")

    async def delete_prefix(self, prefix: str) -> NoReturn:
        raise StorageDownError("it is down")


@pytest.fixture(params=["here", "elsewhere"])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    (tmp_path / "here").mkdir()
    store = open_folder(tmp_path / "kept") if request.param == "elsewhere" else None
    shelf = Shelf(tmp_path / "here", store)
    await FolderJobFiles(shelf).sweep([])
    return shelf


def job(job_id: str) -> Job:
    return replace(a_job(JobState.SUCCEEDED), id=job_id)


def failed(job_id: str, *, term: int = 0) -> Job:
    picture = StoredPicture(name="frame.png", size_bytes=5, sha256="")
    error = JobError(reason="SEAM_MISMATCH", message="torn", pictures=(picture,), term=term)
    return replace(a_job(JobState.FAILED), id=job_id, error=error)


def succeeded(job_id: str, *, term: int) -> Job:
    output = Output(size_bytes=5, sha256="", frames=10, width_px=2, height_px=2, term=term)
    return replace(a_job(JobState.SUCCEEDED), id=job_id, output=output)


async def make_files(shelf: Shelf, job_id: str, *, term: int | None = None) -> None:
    files = FolderJobFiles(shelf, term=term)
    picture = files.pictures(job(job_id)) / "frame.png"
    chunk = files.chunks(job_id) / "chunk-000000.mp4"
    for path in (files.output(job(job_id)), files.manifest(job(job_id)), picture, chunk):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
        await shelf.hand_over(path)


async def left(shelf: Shelf) -> list[str]:
    return sorted(str(path.relative_to(shelf.root)) for path in await shelf.files_in(shelf.root))


async def test_a_deleted_job_leaves_nothing_and_takes_nothing_of_others(shelf: Shelf) -> None:
    for job_id in ("job-1", "job-10"):
        await make_files(shelf, job_id)

    await FolderJobFiles(shelf).delete("job-1")

    assert await left(shelf) == [
        "chunks/job-10/chunk-000000.mp4",
        "outputs/job-10.manifest.jsonl",
        "outputs/job-10.mp4",
        "outputs/job-10.pictures/frame.png",
    ]
    assert not list((shelf.root / "outputs").glob("job-1.*"))


async def test_a_deleted_job_can_be_watched_no_more(shelf: Shelf) -> None:
    segment = shelf.root / PREVIEWS / "job-1" / "000000.m4s"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"12345")

    await FolderJobFiles(shelf).delete("job-1")

    assert not segment.parent.exists()


async def test_a_sweep_takes_the_chunks_of_jobs_that_have_ended(shelf: Shelf) -> None:
    for job_id in ("ended", "unfinished"):
        await make_files(shelf, job_id)

    await FolderJobFiles(shelf).sweep(["ended"])

    assert await shelf.folders_in(shelf.root / "chunks") == {shelf.root / "chunks/unfinished"}
    assert len(await left(shelf)) == 7


async def test_the_video_of_a_job_that_failed_goes_and_its_pictures_stay(shelf: Shelf) -> None:
    await make_files(shelf, "failed")
    files = FolderJobFiles(shelf)

    await files.discard_outputs(failed("failed"))
    await files.forget_chunks("failed")

    assert await left(shelf) == ["outputs/failed.pictures/frame.png"]


async def test_of_what_several_coordinators_made_the_job_says_which_is_its_own(
    shelf: Shelf,
) -> None:
    for job_id in ("failed", "succeeded"):
        for term in (3, 4):
            await make_files(shelf, job_id, term=term)
    files = FolderJobFiles(shelf, term=5)

    for ended in (failed("failed", term=4), succeeded("succeeded", term=3)):
        await files.discard_outputs(ended)
        await files.forget_chunks(ended.id)

    assert await left(shelf) == [
        "outputs/failed.t4.pictures/frame.png",
        "outputs/succeeded.t3.manifest.jsonl",
        "outputs/succeeded.t3.mp4",
    ]
    assert files.output(job("new")).name == "new.t5.mp4"
    assert files.output(succeeded("of-an-older-version", term=0)).name == "of-an-older-version.mp4"
    assert files.pictures(failed("of-an-older-version")).name == "of-an-older-version.pictures"


async def test_jobs_that_something_is_kept_of_are_told_by_its_age(shelf: Shelf) -> None:
    await make_files(shelf, "one")

    files = FolderJobFiles(shelf)

    assert (await files.kept(before=NOW + timedelta(hours=1))).keys() == {"one"}
    assert await files.kept(before=NOW - timedelta(hours=1)) == {}
    assert await files.sizes() == {"one": 20}


async def test_a_file_is_read_from_wherever_it_is(shelf: Shelf) -> None:
    await make_files(shelf, "one")
    files = FolderJobFiles(shelf)

    data = [data async for data in files.read(files.manifest(job("one")), offset=2)]

    assert data == [b"345"]


async def test_what_a_killed_process_left_here_is_not_taken_for_what_is_kept(shelf: Shelf) -> None:
    await make_files(shelf, "one")
    files = FolderJobFiles(shelf)
    if not shelf.is_here:
        files.manifest(job("one")).write_bytes(b"of an attempt that was never kept")

    data = [data async for data in files.read(files.manifest(job("one")), offset=0)]

    assert data == [b"12345"]


async def test_empty_folders_are_told_too(shelf: Shelf) -> None:
    files = FolderJobFiles(shelf)
    pictures = files.pictures(job("one"))
    for folder in (pictures, files.chunks("two"), shelf.root / PREVIEWS / "three"):
        folder.mkdir(parents=True)

    kept = await files.kept(before=NOW + timedelta(hours=1))
    assert kept.keys() == {"one", "two", "three"}
    for job_id in ("one", "two", "three"):
        await files.delete(job_id)

    assert await files.kept(before=NOW + timedelta(hours=1)) == {}


async def test_a_store_that_is_down_keeps_no_job_from_ending_but_one_from_being_deleted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = FolderJobFiles(Shelf(tmp_path, DownArtifacts(tmp_path / "kept")))

    with caplog.at_level(logging.WARNING):
        await files.forget_chunks("one")
        await files.discard_outputs(job("one"))

    assert caplog.messages == ["files not removed yet"] * 2
    with pytest.raises(StorageDownError):
        await files.delete("one")
