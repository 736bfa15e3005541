"""The fleet of one: what is tried again in this process, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from executors.base import AttemptLost, AttemptStarted, ChunkResult, ChunkTask, OnProgress
from executors.discovery import FixedWorkers
from executors.errors import (
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    RenderCrashedError,
)
from executors.fleet import open_fleet
from executors.fleet_executor import FleetExecutor
from executors.local_worker import LocalWorker
from executors.worker_port import WorkerReport
from renderer.composition import PageUrl
from renderer.frames import FrameRange
from renderer.history import ProbeResult
from renderer.settings import RenderSettings

TASK = ChunkTask(
    job_id="job",
    index=4,
    attempt=1,
    composition=PageUrl("http://a.example/"),
    frames=FrameRange(0, 30),
    settings=RenderSettings(),
)
RESULT = ChunkResult(
    index=4,
    frames=30,
    width_px=2,
    height_px=2,
    size_bytes=1,
    sha256="0",
    fingerprint="f",
    worker="here",
    seconds=1.0,
)
CRASH = RenderCrashedError("Chromium was lost", reason="BROWSER_LOST")
STALL = ChunkStalledError("no frame", reason="FRAME_STALLED")


@dataclass
class FailingExecutor:
    """Raises `errors`, one an attempt, and then succeeds."""

    errors: list[ExecutorError]
    attempts: list[int] = field(default_factory=list)

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        self._attempt(task)
        output.write_bytes(b"a video")
        return RESULT

    async def probe(self, task: ChunkTask) -> ProbeResult:
        self._attempt(task)
        return ProbeResult(frames=(0,))

    def _attempt(self, task: ChunkTask) -> None:
        self.attempts.append(task.attempt)
        if self.errors:
            raise self.errors.pop(0)


@asynccontextmanager
async def executor_that_meets(
    errors: Sequence[ExecutorError],
) -> AsyncGenerator[tuple[FleetExecutor, list[int]]]:
    inner = FailingExecutor(list(errors))
    report = WorkerReport(name="here", version="", fingerprint="f", slots=1, free_slots=1)
    here, worker = FixedWorkers(frozenset({"here"})), LocalWorker(inner, report)
    async with open_fleet(here, lambda _: worker, worker_wait_s=5.0) as fleet:
        yield FleetExecutor(fleet), inner.attempts


async def test_a_chunk_whose_browser_was_lost_is_rendered_again(tmp_path: Path) -> None:
    told: list[object] = []
    async with executor_that_meets([CRASH, STALL]) as (executor, attempts):
        result = await executor.render(TASK, tmp_path / "c.mp4", on_progress=told.append)

    assert result is RESULT
    assert attempts == [1, 2, 3]
    assert told == [
        AttemptStarted("here", 1),
        AttemptLost("here", 1, "Chromium was lost"),
        AttemptStarted("here", 2),
        AttemptLost("here", 2, "no frame"),
        AttemptStarted("here", 3),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["c.mp4"]


async def test_the_third_failure_is_the_last_and_tells_of_all(tmp_path: Path) -> None:
    async with executor_that_meets([CRASH, STALL, CRASH, CRASH]) as (executor, attempts):
        with pytest.raises(RenderCrashedError) as failed:
            await executor.render(TASK, tmp_path / "c.mp4", on_progress=lambda _: None)

    assert attempts == [1, 2, 3]
    assert failed.value.detail.splitlines()[-3:] == [
        "here: Chromium was lost", "here: no frame", "here: Chromium was lost",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


async def test_a_fault_of_the_page_is_not_tried_again(tmp_path: Path) -> None:
    fault = CompositionFailedError("x is not defined", reason="PAGE_ERROR")
    async with executor_that_meets([fault]) as (executor, attempts):
        with pytest.raises(CompositionFailedError) as failed:
            await executor.render(TASK, tmp_path / "c.mp4", on_progress=lambda _: None)

    assert failed.value is fault
    assert attempts == [1]


async def test_a_probe_is_tried_again_too() -> None:
    async with executor_that_meets([CRASH]) as (executor, attempts):
        assert (await executor.probe(TASK)).frames == (0,)

    assert attempts == [1, 2]
