from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from executors.errors import StorageFullError
from worker import scratch
from worker.scratch import open_scratch

KILLED = """
import os, signal, sys
from pathlib import Path
from worker.scratch import open_scratch
with open_scratch(parent=Path(sys.argv[1])) as scratch, scratch.folder() as folder:
    (folder / "chunk.mp4").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_worker_left_goes_when_the_next_one_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, check=False)
    (left,) = tmp_path.iterdir()
    with open_scratch(parent=tmp_path) as living:
        others = tmp_path / "framefarm-worker-of-someone"
        others.mkdir()

        with open_scratch(parent=tmp_path):
            pass

        assert living.root.exists()
        assert others.exists()
    assert killed.returncode == -signal.SIGKILL
    assert not left.exists()
    assert list(tmp_path.iterdir()) == [others]


async def test_a_chunk_that_outgrows_its_share_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "WATCH_INTERVAL_S", 0.01)
    with (
        open_scratch(parent=tmp_path, limit_bytes=80 << 20, slots=3) as place,
        place.folder() as folder,
    ):
        assert place.sound_bytes == 20 << 20
        (folder / "sounds").mkdir()
        (folder / "chunk.mp4").write_bytes(bytes(5 << 20))
        async with place.watched(folder):
            await asyncio.sleep(0.05)

        with pytest.raises(StorageFullError, match="11 MiB, and may have 10"):
            async with place.watched(folder):
                (folder / "sounds" / "one").write_bytes(bytes(6 << 20))
                await asyncio.Event().wait()
