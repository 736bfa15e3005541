"""A browser that is killed or frozen while it films costs its chunk another attempt, no more."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from executors.base import AttemptLost, ChunkEvent, ChunkTask, FramesDone
from renderer.frames import FrameRange
from renderer.keeping import WarmLimits
from tests.support.farm import grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import add_page, open_crew, page_settings
from tests.support.processes import browsers

FRAME_TIMEOUT_S = 3.0
ASKED_S = 2.0  # a page whose hook does not end is asked which one it is
ENDED_S = 20.0  # on a machine with much to do
FRAMES = 150


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_chunk_whose_browser_is_lost_is_rendered_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    lost: list[tuple[psutil.Process, float]] = []
    told: list[tuple[AttemptLost, float]] = []

    def hear(event: ChunkEvent) -> None:
        if isinstance(event, FramesDone) and not lost:
            (browser,) = browsers()
            browser.send_signal(number)
            lost.append((browser, time.monotonic()))
        if isinstance(event, AttemptLost):
            told.append((event, time.monotonic()))

    limits = WarmLimits(browsers=1)
    async with (
        open_crew(tmp_path, frame_timeout_s=FRAME_TIMEOUT_S, limits=limits) as crew,
        running_worker(crew.renderer) as worker,
        grpc_executor([worker.address], crew.store) as (executor, _),
    ):
        task = ChunkTask(
            job_id="job",
            index=0,
            composition=add_page(crew.store, "counter.html"),
            frames=FrameRange(0, FRAMES),
            settings=page_settings(),
        )
        result = await executor.render(task, tmp_path / "out.mp4", on_progress=hear)

        assert not lost[0][0].is_running()
        assert len(browsers()) == 1
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(FRAMES))
    assert result.attempt == 2
    assert len(told) == 1
    assert told[0][1] - lost[0][1] < FRAME_TIMEOUT_S + ASKED_S + ENDED_S
