from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executors.errors import (
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    RenderCrashedError,
    Retry,
    WorkerOutOfMemoryError,
)
from worker.cgroup import oom_kills
from worker.memory import told_of_memory


def counts(*numbers: int) -> Iterator[int]:
    yield from numbers


@pytest.mark.parametrize("error", [RenderCrashedError("lost"), ChunkStalledError("hung")])
async def test_a_crash_while_the_kernel_killed_for_memory_is_told_as_such(
    error: ExecutorError,
) -> None:
    kills = counts(3, 4)
    with pytest.raises(WorkerOutOfMemoryError, match=f"want of memory: {error}") as caught:
        async with told_of_memory(lambda: next(kills)):
            raise error

    assert caught.value.retry is Retry.MEMORY


async def test_other_crashes_and_other_errors_stay_what_they_are() -> None:
    kills = counts(3, 3, 3)
    with pytest.raises(RenderCrashedError):
        async with told_of_memory(lambda: next(kills)):
            raise RenderCrashedError("lost")
    with pytest.raises(CompositionFailedError):
        async with told_of_memory(lambda: next(kills)):
            raise CompositionFailedError("threw")


@pytest.mark.parametrize(
    ("own", "path", "text"),
    [
        ("0::/a/b", "a/b/memory.events", "low 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0"),
        ("0::/a/b", "memory.events", "oom 3\noom_kill 2"),
        ("4:cpu,memory:/a\n0::/", "memory/a/memory.oom_control", "under_oom 0\noom_kill 2"),
        ("4:memory:/a\n0::/", "memory/memory.oom_control", "oom_kill_disable 0\noom_kill 2"),
        ("", "vmstat", "pgfault 9\noom_kill 2"),
    ],
)
def test_kills_are_counted_where_this_process_is_limited(
    tmp_path: Path, own: str, path: str, text: str
) -> None:
    place = tmp_path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    (tmp_path / "own").write_text(own)

    assert oom_kills(tmp_path, tmp_path / "own", tmp_path / "vmstat") == 2


def test_the_kills_of_this_machine_can_be_counted() -> None:
    assert oom_kills() >= 0


def test_where_nothing_is_counted_nothing_was_killed(tmp_path: Path) -> None:
    assert oom_kills(tmp_path, tmp_path / "own", tmp_path / "vmstat") == 0
