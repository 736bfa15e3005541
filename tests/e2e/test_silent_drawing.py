"""A browser whose drawing hangs, while its pages answer, costs its chunk a fresh one, no more."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from renderer.capture import choose
from renderer.events import FramesDone, RenderEvent
from renderer.frames import FrameRange
from renderer.keeping import WarmLimits
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import add_page, open_crew, page_settings
from tests.support.processes import browsers

LIMIT_S = 2.0
ASKED_S = 2.0  # whether the page answers
STARTED_S = 20.0  # another browser, on a machine with much to do; unasked, it is half a minute
SILENT = "drew no frame within 2 s, though the page answers"


def silence(browser: psutil.Process) -> None:
    """Stop the process that draws: everything else in the browser goes on."""
    drawing = [
        process
        for process in browser.children(recursive=True)
        if "--type=gpu-process" in process.cmdline()
    ]
    drawing[0].send_signal(signal.SIGSTOP)


async def test_a_chunk_whose_drawing_falls_silent_is_filmed_again_and_says_so(
    tmp_path: Path,
) -> None:
    silenced: list[tuple[psutil.Process, float]] = []
    retold: list[float] = []
    events: list[RenderEvent] = []

    def hear(event: RenderEvent) -> None:
        events.append(event)
        if event == FramesDone(3) and not silenced:
            (browser,) = browsers()
            silence(browser)
            silenced.append((browser, time.monotonic()))
        elif event == FramesDone(1) and silenced:
            retold.append(time.monotonic())

    async with open_crew(tmp_path, frame_timeout_s=LIMIT_S) as crew:
        chunk = await crew.renderer.render(
            add_page(crew.store, "counter.html"),
            FrameRange(0, 8),
            settings=page_settings(),
            output=tmp_path / "out.mp4",
            on_event=hear,
        )

        assert not silenced[0][0].is_running()
        assert retold[0] - silenced[0][1] < LIMIT_S + ASKED_S + STARTED_S
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(8))
    assert SILENT in chunk.timings.why
    assert chunk.timings.strategy == "begin-frame-png"
    assert [event for event in events if SILENT in str(event)]


async def test_a_browser_that_draws_nothing_is_known_before_it_opens_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "PROBE_TIMEOUT_S", LIMIT_S)
    async with open_crew(tmp_path, limits=WarmLimits(browsers=1)) as crew:
        await crew.film("counter.html", (0, 1))
        (kept,) = browsers()
        silence(kept)

        film = await crew.film("counter.html", (0, 3))

        assert not kept.is_running()
    assert film.numbers == [0, 1, 2]
    assert SILENT in film.chunk.timings.why
