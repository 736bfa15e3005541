"""Holding back the chunks of a job, around an executor that cannot."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from coordinator.pausing import PausableExecutor, pausable
from executors.base import AttemptStarted, ChunkResult, ChunkTask, CompositionProber, OnProgress
from tests.support.eventually import eventually
from tests.support.tasks import a_task

OUTPUT = Path("never-written")


@dataclass
class OneSlot:
    """Renders one chunk at a time; each ends when `end` is set."""

    slot: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    end: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        self.asked.append(task.index)
        async with self.slot:
            self.started.append(task.index)
            on_progress(AttemptStarted("here", task.attempt))
            try:
                await self.end.wait()
            except BaseException:
                self.stopped.append(task.index)
                raise
        return cast("ChunkResult", task)


class Prober(OneSlot):
    async def probe(self, task: ChunkTask) -> Any:
        return task.index


def begin(executor: PausableExecutor, index: int, job_id: str = "job") -> asyncio.Task[Any]:
    task = replace(a_task(), index=index, job_id=job_id)
    return asyncio.create_task(executor.render(task, OUTPUT, on_progress=lambda _: None))


async def test_chunks_that_run_go_on_and_those_that_wait_are_held_back() -> None:
    inner = OneSlot()
    executor = pausable(inner)
    chunks = [begin(executor, index) for index in range(3)]
    await eventually(lambda: inner.started == [0])

    executor.pause_job("job")
    inner.end.set()
    await chunks[0]
    later = begin(executor, 3)
    await asyncio.sleep(0.02)
    assert inner.started == [0]
    executor.resume_job("job")

    await asyncio.gather(*chunks, later)
    assert sorted(inner.started) == [0, 1, 2, 3]
    assert inner.stopped == []


async def test_other_jobs_have_the_slots_of_a_paused_one() -> None:
    inner = OneSlot()
    executor = pausable(inner)
    inner.end.set()
    executor.pause_job("job")
    held, other = begin(executor, 0), begin(executor, 1, "other")

    await other
    assert inner.asked == [1]
    executor.resume_job("job")
    await held


async def test_a_chunk_that_is_cancelled_has_stopped_when_its_caller_hears_of_it() -> None:
    inner = OneSlot()
    executor = pausable(inner)
    running, waiting = begin(executor, 0), begin(executor, 1)
    await eventually(lambda: inner.started == [0])

    for chunk in (waiting, running):
        chunk.cancel()
        await asyncio.wait([chunk])
        assert chunk.cancelled()

    assert inner.stopped == [0]
    assert vars(executor)["_calls"] == {}


async def test_an_executor_probes_as_before_but_not_for_a_paused_job() -> None:
    executor: Any = pausable(Prober())
    probes = [isinstance(each, CompositionProber) for each in (executor, pausable(OneSlot()))]
    assert probes == [True, False]
    executor.pause_job("job")
    probing = asyncio.create_task(executor.probe(a_task()))
    await asyncio.sleep(0.01)

    assert not probing.done()
    executor.resume_job("job")
    assert await probing == 0


async def test_an_executor_that_can_hold_back_chunks_is_taken_as_it_is() -> None:
    once = pausable(OneSlot())

    assert pausable(once) is once
