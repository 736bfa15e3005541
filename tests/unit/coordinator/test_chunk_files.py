"""What an earlier process finished, and what a power cut made of its notes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import pytest

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
    sha256 = hashlib.sha256(b"sound").hexdigest()
    source = SoundSource(
        sha256=sha256, name="blob:x", size_bytes=5, duration_ns=NANO, is_bundled=False
    )
    passage = Passage(source=sha256, since_ns=0, from_ns=0, begins_ns=0)
    heard = replace(RESULT, sounds=SoundReport(sources=(source,), passages=(passage,)))
    files.sound(sha256).parent.mkdir()
    files.sound(sha256).write_bytes(b"sound")
    await files.keep(TASK, heard)

    assert await files.finished([TASK]) == {0: heard}
    files.sound(sha256).unlink()
    assert await files.finished([TASK]) == {0: None}
