"""How a running job's events are collected on their way into its log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from coordinator.job import ChunkMoved, ChunkState, Event, ProgressMade
from coordinator.pump import FLUSH_S, Pump, pause_after
from renderer.frames import FrameRange
from tests.support.eventually import eventually


class Log:
    """Keeps the batches that were appended; each takes `takes_s`."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.batches: list[list[Event]] = []
        self._takes_s = takes_s

    async def append(self, job_id: str, events: Sequence[Event], *, output: Any = None) -> None:
        del job_id, output
        await asyncio.sleep(self._takes_s)
        self.batches.append(list(events))


def moved(index: int) -> ChunkMoved:
    frames = FrameRange(index, index + 1)
    return ChunkMoved(index=index, state=ChunkState.RENDERING, frames=frames, worker="w", attempt=1)


async def test_of_progress_only_the_latest_of_a_batch_is_kept_and_of_all_else_everything() -> None:
    log: Any = Log()
    pump = Pump("j", log)

    for event in (moved(0), ProgressMade(1, 9), moved(1), ProgressMade(2, 9)):
        pump.put(event)
    await pump.flush()

    assert log.batches == [[moved(0), moved(1), ProgressMade(2, 9)]]


async def test_events_come_in_batches_while_it_runs_and_the_last_ones_at_its_end() -> None:
    log: Any = Log()
    pump = Pump("j", log)
    running = asyncio.create_task(pump.run())
    pump.put(ProgressMade(1, 9))
    await eventually(lambda: bool(log.batches))
    pump.put(ProgressMade(2, 9))
    pump.end()
    await running

    assert log.batches == [[ProgressMade(1, 9)], [ProgressMade(2, 9)]]


def test_a_slow_store_is_asked_less_but_a_watcher_never_waits_for_long() -> None:
    assert pause_after(0.001) == FLUSH_S
    assert pause_after(0.1) == 0.2
    assert pause_after(60.0) == 1.0
