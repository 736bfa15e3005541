"""What an earlier process finished, what a power cut made of its notes, and a disk that is lost."""

from __future__ import annotations

import hashlib
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.artifacts.folder import open_folder
from coordinator.artifacts.shelf import Shelf
from coordinator.chunk_files import ChunkFiles
from executors.base import ChunkResult
from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource
from tests.support.tasks import a_task

TASK = a_task()


@pytest.fixture
async def files(tmp_path: Path) -> ChunkFiles:
    kept = ChunkFiles(tmp_path)
    kept.path(TASK).write_bytes(b"pictures")
    await kept.keep(TASK, RESULT)
    return kept


RESULT = ChunkResult(
    index=0,
    frames=10,
    width_px=2,
    height_px=2,
    size_bytes=8,
    sha256=hashlib.sha256(b"pictures").hexdigest(),
    fingerprint="f",
    worker="w",
    seconds=1.0,
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def report(sound: bytes) -> SoundReport:
    """One file that was heard, and came with its chunk."""
    source = SoundSource(
        sha256=sha256(sound), name="blob:x", size_bytes=5, duration_ns=NANO, is_bundled=False
    )
    passage = Passage(source=source.sha256, since_ns=0, from_ns=0, begins_ns=0)
    return SoundReport(sources=(source,), passages=(passage,))


async def test_a_chunk_with_its_note_is_finished(files: ChunkFiles) -> None:
    assert await files.finished([TASK]) == {0: RESULT}


async def test_a_chunk_whose_bytes_changed_is_not_finished(files: ChunkFiles) -> None:
    files.path(TASK).write_bytes(b"")

    assert await files.finished([TASK]) == {0: None}


@pytest.mark.parametrize(
    "damaged", [b"", b"\0" * 300, b'{"frames": [0, 10], "resu', b"\xff", b"[]", b"{}", b"null"]
)
async def test_a_chunk_with_a_damaged_note_is_not_finished(
    files: ChunkFiles, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    files.path(TASK).with_suffix(".json").write_bytes(damaged)

    with caplog.at_level(logging.WARNING):
        assert await files.finished([TASK]) == {0: None}

    assert caplog.messages == ["a finished chunk's note is damaged: the chunk is rendered again"]


async def test_a_note_of_another_versions_fields_is_not_taken(files: ChunkFiles) -> None:
    note = '{"frames": [0, 10], "result": {"index": 0, "colour": "red"}}'
    files.path(TASK).with_suffix(".json").write_text(note)

    assert await files.finished([TASK]) == {0: None}


async def test_a_chunk_is_finished_as_long_as_what_it_is_heard_from_is_there(
    files: ChunkFiles,
) -> None:
    heard, sound = replace(RESULT, sounds=report(b"sound")), files.sound(sha256(b"sound"))
    sound.parent.mkdir()
    sound.write_bytes(b"sound")
    await files.keep(TASK, heard)

    assert await files.finished([TASK]) == {0: heard}
    sound.write_bytes(b"silence")
    assert await files.finished([TASK]) == {0: None}
    assert not sound.exists()  # so that it is brought again
    assert await files.finished([TASK]) == {0: None}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "here", open_folder(tmp_path / "kept"))


def on(shelf: Shelf) -> ChunkFiles:
    """A job's folder, made by a coordinator that starts."""
    folder = shelf.root / "chunks" / "job"
    folder.mkdir(parents=True, exist_ok=True)
    return ChunkFiles(folder, shelf)


async def kept_on(shelf: Shelf, result: ChunkResult = RESULT) -> ChunkFiles:
    files = on(shelf)
    files.path(TASK).write_bytes(b"pictures")
    await files.keep(TASK, result)
    return files


def lose_disk(shelf: Shelf) -> None:
    shutil.rmtree(shelf.root)


async def test_a_kept_chunk_is_finished_for_a_coordinator_with_an_empty_disk(shelf: Shelf) -> None:
    await kept_on(shelf)
    lose_disk(shelf)

    files = on(shelf)

    assert await files.finished([TASK]) == {0: RESULT}
    assert files.path(TASK).read_bytes() == b"pictures"


async def test_what_a_kept_chunk_is_heard_from_is_brought_with_it(shelf: Shelf) -> None:
    heard = replace(RESULT, sounds=report(b"sound"))
    sound = on(shelf).sound(sha256(b"sound"))
    sound.parent.mkdir()
    sound.write_bytes(b"sound")
    await kept_on(shelf, heard)
    lose_disk(shelf)

    assert await on(shelf).finished([TASK]) == {0: heard}
    assert sound.read_bytes() == b"sound"


async def test_a_chunk_that_was_never_kept_is_not_finished(shelf: Shelf) -> None:
    assert await on(shelf).finished([TASK]) == {0: None}


@pytest.mark.parametrize("lost", ["chunk-000000.mp4", "chunk-000000.json"])
async def test_a_chunk_of_which_the_store_has_lost_a_file_is_not_finished(
    shelf: Shelf, lost: str
) -> None:
    await kept_on(shelf)
    lose_disk(shelf)
    await shelf.store.delete(f"chunks/job/{lost}")

    assert await on(shelf).finished([TASK]) == {0: None}


async def test_a_chunk_whose_kept_bytes_are_others_is_not_finished(
    shelf: Shelf, tmp_path: Path
) -> None:
    await kept_on(shelf)
    lose_disk(shelf)
    (tmp_path / "kept/chunks/job/chunk-000000.mp4").write_bytes(b"other")

    assert await on(shelf).finished([TASK]) == {0: None}


async def test_a_chunk_that_is_damaged_here_is_brought_again(shelf: Shelf) -> None:
    files = await kept_on(shelf)
    files.path(TASK).write_bytes(b"")

    assert await files.finished([TASK]) == {0: RESULT}
    assert files.path(TASK).read_bytes() == b"pictures"


async def test_a_chunk_that_is_only_here_is_kept_by_the_next_process(shelf: Shelf) -> None:
    await kept_on(shelf)
    await shelf.store.delete_prefix("chunks/")

    assert await on(shelf).finished([TASK]) == {0: RESULT}
    assert await shelf.kept_in(shelf.root / "chunks/job") == {
        "chunk-000000.mp4",
        "chunk-000000.json",
    }


async def test_a_chunk_that_was_dropped_is_finished_nowhere(shelf: Shelf) -> None:
    files = await kept_on(shelf)

    await files.drop([TASK])

    assert await files.finished([TASK]) == {0: None}
    lose_disk(shelf)
    assert await on(shelf).finished([TASK]) == {0: None}


async def test_a_chunk_that_its_worker_brought_is_kept_where_it_is(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"pictures")
    await shelf.store.put(tmp_path / "file", "chunks/job/uploads/one.mp4")
    brought = replace(RESULT, artifact="chunks/job/uploads/one.mp4")

    await kept_on(shelf, brought)
    lose_disk(shelf)

    assert await on(shelf).finished([TASK]) == {0: brought}
    assert await shelf.store.size("chunks/job/chunk-000000.mp4") is None


async def test_what_a_killed_process_left_half_written_is_swept(shelf: Shelf) -> None:
    folder = on(shelf).path(TASK).parent
    (folder / "sounds").mkdir()
    for name in (".part-left", ".0-1.chunk-000000.mp4", "sounds/.a-sound.part"):
        (folder / name).touch()

    await on(shelf).finished([TASK])

    assert [path.name for path in folder.rglob("*")] == ["sounds"]


async def test_what_a_later_coordinator_is_fetching_is_not_swept(tmp_path: Path) -> None:
    for name in (
        ".3-2-1.chunk-000000.mp4",
        "..3-3-1.chunk-000001.mp4.ab.part",
        ".2-1-1.chunk-0.mp4",
    ):
        (tmp_path / name).touch()

    await ChunkFiles(tmp_path, term=2).finished([TASK])

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["..3-3-1.chunk-000001.mp4.ab.part", ".3-2-1.chunk-000000.mp4"]
