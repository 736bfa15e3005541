"""A data directory that coordinators share: one that was followed and wakes up harms no other."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.artifacts.folder import open_folder
from coordinator.artifacts.shelf import Shelf
from coordinator.chunk_files import ChunkFiles
from coordinator.job import Job, JobState
from coordinator.job_files import FolderJobFiles, swept
from coordinator.workplace import workplace
from executors.base import ChunkResult
from executors.orders import FilesOnDisk
from executors.worker_port import Token
from renderer.audio.passages import SOUNDS
from renderer.durable import PartFile
from tests.support.job_desk import DictStore
from tests.support.tasks import a_job, a_task

TASK = a_task()


def result_of(data: bytes) -> ChunkResult:
    return ChunkResult(
        index=0,
        frames=10,
        width_px=2,
        height_px=2,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        fingerprint="f",
        worker="w",
        seconds=1.0,
    )


async def finish(files: ChunkFiles, data: bytes) -> ChunkResult:
    files.path(TASK).write_bytes(data)
    await files.keep(TASK, result_of(data))
    return result_of(data)


@dataclass
class FreezingStore(DictStore):
    """Its answer to who is unfinished lies there while its reader is frozen."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    wakes: asyncio.Event = field(default_factory=asyncio.Event)

    async def unfinished(self) -> Sequence[Job]:
        answer = await super().unfinished()
        self.asked.set()
        await self.wakes.wait()
        return answer


async def test_a_sweeper_that_was_frozen_leaves_the_chunks_of_jobs_that_came_meanwhile(
    tmp_path: Path,
) -> None:
    for store in (None, open_folder(tmp_path / "kept")):
        files = FolderJobFiles(Shelf(tmp_path, store))
        jobs = FreezingStore()
        for job_id in ("ended", "unfinished"):
            files.chunks(job_id).mkdir(parents=True)
        jobs.jobs["unfinished"] = a_job(JobState.RENDERING, job_id="unfinished")
        sweeping = asyncio.create_task(swept(files, jobs))
        await jobs.asked.wait()
        files.chunks("heirs").mkdir()

        jobs.wakes.set()

        assert [job.id for job in await sweeping] == ["unfinished"]
        assert await files.begun() == {"unfinished", "heirs"}
        for job_id in ("unfinished", "heirs"):
            files.chunks(job_id).rmdir()


async def test_what_an_earlier_coordinator_made_of_an_unfinished_job_goes_at_the_start(
    tmp_path: Path,
) -> None:
    for store in (None, open_folder(tmp_path / "kept")):
        shelf = Shelf(tmp_path, store)
        jobs = DictStore()
        for job_id, state in (("ended", JobState.SUCCEEDED), ("unfinished", JobState.ASSEMBLING)):
            jobs.jobs[job_id] = a_job(state, job_id=job_id)
            (tmp_path / "chunks" / job_id).mkdir(parents=True)
            for term in (None, 3, 4, 5):
                files = FolderJobFiles(shelf, term=term)
                made = files.output(jobs.jobs[job_id]), files.manifest(jobs.jobs[job_id])
                for path in made:
                    path.parent.mkdir(exist_ok=True)
                    path.touch()
                await shelf.hand_over(*made)

        await swept(FolderJobFiles(shelf, term=4), jobs)

        left = await shelf.files_in(tmp_path / "outputs", beginning="unfinished.")
        assert sorted(path.name for path in left) == [
            "unfinished.manifest.jsonl",
            "unfinished.mp4",
            "unfinished.t4.manifest.jsonl",
            "unfinished.t4.mp4",
            "unfinished.t5.manifest.jsonl",
            "unfinished.t5.mp4",
        ]
        assert len(await shelf.files_in(tmp_path / "outputs", beginning="ended.")) == 8
        await shelf.forget_folder(tmp_path / "outputs")
        await shelf.forget_folder(tmp_path / "chunks")


async def test_a_late_attempt_neither_replaces_nor_removes_what_the_heir_has_finished(
    tmp_path: Path,
) -> None:
    zombie, heir = ChunkFiles(tmp_path, term=4), ChunkFiles(tmp_path, term=5)
    attempts, token = FilesOnDisk(term=4), Token(4, 1)
    fetched = attempts.path(zombie.path(TASK), token)
    assert await heir.finished([TASK]) == {0: None}
    fetched.write_bytes(b"late")
    finished = await finish(heir, b"pictures")

    await attempts.accept(fetched, zombie.path(TASK))
    assert heir.path(TASK).read_bytes() == b"pictures"
    await attempts.discard(zombie.path(TASK))

    assert heir.path(TASK).read_bytes() == b"pictures"
    assert await ChunkFiles(tmp_path, term=6).finished([TASK]) == {0: finished}


async def test_what_an_earlier_term_has_finished_is_taken_until_it_is_dropped(
    tmp_path: Path,
) -> None:
    finished = await finish(ChunkFiles(tmp_path, term=4), b"pictures")
    files = ChunkFiles(tmp_path, term=5)

    assert await files.finished([TASK]) == {0: finished}
    assert files.path(TASK).read_bytes() == b"pictures"
    earlier = files.path(TASK)
    await files.drop([TASK])
    assert files.path(TASK) != earlier
    again = await finish(files, b"new pictures")

    assert await files.finished([TASK]) == {0: again}
    assert not earlier.exists()


async def test_a_chunk_of_before_there_were_terms_in_names_is_taken(tmp_path: Path) -> None:
    finished = await finish(ChunkFiles(tmp_path), b"pictures")

    assert await ChunkFiles(tmp_path, term=5).finished([TASK]) == {0: finished}


async def test_unfinished_files_go_with_their_term_and_no_later_ones(tmp_path: Path) -> None:
    names = ["chunk-000000-t4.mp4", "chunk-000001-t5.mp4", "chunk-000002-t6.mp4"]
    for name in names:
        (tmp_path / name).touch()

    await ChunkFiles(tmp_path, term=5).finished([TASK])

    assert sorted(path.name for path in tmp_path.iterdir()) == names[1:]


async def test_a_sound_that_another_coordinator_brings_is_left_alone(tmp_path: Path) -> None:
    sounds = tmp_path / SOUNDS
    sounds.mkdir()
    (sounds / ".part-of-a-killed-one").touch()
    with closing(PartFile(sounds)) as part:
        await ChunkFiles(tmp_path, term=4).finished([TASK])

        assert list(sounds.iterdir()) == [part.path]
        part.place(sounds / "ab")


async def test_a_workplace_of_a_later_coordinator_is_left_alone(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    (outputs / ".assembly-of-an-older-version").mkdir(parents=True)
    with workplace(outputs / "film.mp4", term=5) as heirs, workplace(outputs / "x", term=3):
        await FolderJobFiles(Shelf(tmp_path), term=4).sweep([])

        assert list(outputs.iterdir()) == [heirs]
