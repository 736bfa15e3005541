"""How many chunk files are looked at at once."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from coordinator.verification import Verification
from executors.base import ChunkResult
from executors.errors import ChunkDamagedError
from renderer.encode.reading import chunk
from renderer.errors import EncoderError
from tests.support.tasks import a_task


async def test_a_thousand_chunks_that_come_at_once_start_few_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0

    async def probe(_ffprobe: Path, path: Path) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        raise EncoderError(f"{path.name} is no video")

    monkeypatch.setattr(chunk, "probe", probe)
    verify = Verification(tmp_path, asyncio.Semaphore(3))
    path = tmp_path / "chunk.mp4"
    path.write_bytes(b"chunk")
    task = a_task()
    result = ChunkResult(
        index=task.index,
        frames=len(task.frames),
        width_px=2,
        height_px=2,
        size_bytes=5,
        sha256=hashlib.sha256(b"chunk").hexdigest(),
        fingerprint="",
        worker="w",
        seconds=0.0,
    )

    ended = await asyncio.gather(
        *(verify(task, result, path) for _ in range(50)), return_exceptions=True
    )

    assert most == 3
    assert {type(each) for each in ended} == {ChunkDamagedError}
