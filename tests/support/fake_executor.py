"""An executor that works, here and now, and whose chunks wait and fail as a test tells them to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from executors.base import (
    AttemptStarted,
    ChunkResult,
    ChunkTask,
    FramesDone,
    OnProgress,
    PageLog,
)
from executors.errors import ExecutorError
from renderer.edges import Edges
from renderer.picture import Picture

from .chunks import encode
from .pictures import digests, edges, numbered_picture


@dataclass
class FakeExecutor:
    """Makes real chunk files of numbered pictures.

    `fails` names chunks with the error they raise, `waits` those that never end by themselves.
    `slow` ones end when their event is set. `drawn` may change the frame number that is drawn,
    `drawn_by` by the task it is drawn for. `is_blind` executors tell no digests. `calls`, `ended`,
    `stopped` (chunks that were cancelled) and `jobs_ended` are what happened.
    """

    fails: dict[int, ExecutorError] = field(default_factory=dict)
    waits: set[int] = field(default_factory=set)
    slow: dict[int, asyncio.Event] = field(default_factory=dict)
    drawn: Callable[[int], int] = lambda number: number
    drawn_by: Callable[[ChunkTask, int], int] | None = None
    is_blind: bool = False
    keeps_edges: bool = True
    fingerprint: Callable[[int], str] = lambda _: "fake"
    calls: list[ChunkTask] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    jobs_ended: list[str] = field(default_factory=list)

    async def end_job(self, job_id: str) -> None:
        assert len(self.calls) == len(self.ended) + len(self.stopped)
        self.jobs_ended.append(job_id)

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        self.calls.append(task)
        on_progress(AttemptStarted("here", task.attempt))
        on_progress(PageLog("log", f"chunk {task.index}"))
        done = False
        try:
            if task.index in self.waits:
                await asyncio.Event().wait()
            if ready := self.slow.get(task.index):
                await ready.wait()
            await asyncio.sleep(0)
            if error := self.fails.get(task.index):
                raise error
            pictures = self._pictures(task)
            for count in range(1, len(task.frames) + 1):
                on_progress(FramesDone(count))
            await encode(pictures[: len(task.frames)], output, task.settings)
            done = True
        finally:
            (self.ended if done else self.stopped).append(task.index)
        data = await asyncio.to_thread(output.read_bytes)
        is_kept = task.paints_all and self.keeps_edges
        return ChunkResult(
            index=task.index,
            frames=len(task.frames),
            width_px=task.settings.width_px,
            height_px=task.settings.height_px,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            fingerprint=self.fingerprint(task.index),
            worker="here",
            seconds=0.1,
            attempt=task.attempt,
            edges=edges(pictures, len(task.frames)) if is_kept else Edges(),
            **({} if self.is_blind else digests(pictures, len(task.frames))),
        )

    def _pictures(self, task: ChunkTask) -> list[Picture]:
        draw = self.drawn_by or (lambda _, number: self.drawn(number))
        numbers = range(task.frames.start, task.frames.stop + task.has_successor)
        return [numbered_picture(draw(task, number)) for number in numbers]
