"""However a render ends, nothing of it is left: no process, no file, no profile."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from renderer.composition import Composition
from renderer.errors import BrowserLostError, CompositionError
from renderer.events import FramesDone, RenderEvent
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import Crew, add_page, page_settings
from tests.support.processes import browsers

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="crew")
def crew_that_keeps_nothing(cold: Crew) -> Crew:
    return cold


LONG = FrameRange(0, 100_000)
TRIES = 3  # a busy machine may hold one up, and never all of them


def children_of_a_render() -> list[psutil.Process]:
    """Chromium and ffmpeg below this process, as far as they run."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            name = Path(process.exe() or process.name()).name
            zombie = process.status() == psutil.STATUS_ZOMBIE
            if not zombie and ("chrom" in name or "headless" in name or "ffmpeg" in name):
                found.append(process)
    return found


def profiles() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("framefarm-browser-*")}


class Running:
    """A render that goes on until somebody ends it."""

    def __init__(self, crew: Crew, page: str) -> None:
        self.output = crew.folder / f"{os.urandom(4).hex()}.mp4"
        self.frames_done = 0
        self._crew = crew
        self._page: Composition = add_page(crew.store, page)

    async def render(self) -> None:
        await self._crew.renderer.render(
            self._page,
            LONG,
            settings=page_settings(),
            output=self.output,
            on_event=self._on_event,
        )

    def _on_event(self, event: RenderEvent) -> None:
        if isinstance(event, FramesDone):
            self.frames_done = event.done

    def nothing_is_left(self) -> bool:
        return children_of_a_render() == [] and list(self.output.parent.iterdir()) == []


async def test_a_cancelled_render_leaves_nothing_within_a_second(crew: Crew) -> None:
    for _ in range(TRIES):
        took_s = await seconds_to_cancel_a_render(crew)
        if took_s < 1.0:
            break

    assert took_s < 1.0


async def seconds_to_cancel_a_render(crew: Crew) -> float:
    """How long it takes; after it, nothing is left."""
    profiles_before = profiles()
    running = Running(crew, "state.html")
    task = asyncio.create_task(running.render())
    await eventually(lambda: running.frames_done > 5, within_s=60)
    assert len(children_of_a_render()) > 2

    started_s = time.monotonic()
    task.cancel()
    await asyncio.wait([task])
    took_s = time.monotonic() - started_s

    assert task.cancelled()
    assert running.nothing_is_left()
    assert profiles() <= profiles_before
    return took_s


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
async def test_a_render_can_be_cancelled_at_any_moment_of_its_start(
    crew: Crew, delay_s: float
) -> None:
    running = Running(crew, "state.html")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(delay_s):
            await running.render()

    assert running.nothing_is_left()


async def test_a_killed_browser_is_lost(crew: Crew) -> None:
    running = Running(crew, "state.html")
    task = asyncio.create_task(running.render())
    await eventually(lambda: running.frames_done > 5, within_s=60)
    (main,) = browsers()

    main.kill()

    with pytest.raises(BrowserLostError):
        await asyncio.wait_for(task, 60)
    assert running.nothing_is_left()


async def test_a_killed_page_process_is_a_lost_browser(crew: Crew) -> None:
    running = Running(crew, "state.html")
    task = asyncio.create_task(running.render())
    await eventually(lambda: running.frames_done > 5, within_s=60)

    for process in children_of_a_render():
        if "--type=renderer" in process.cmdline():
            process.kill()

    with pytest.raises(BrowserLostError, match="crashed"):
        await asyncio.wait_for(task, 60)
    assert running.nothing_is_left()


async def test_a_failed_page_leaves_nothing(crew: Crew) -> None:
    with pytest.raises(CompositionError):
        await crew.film("counter.html", (0, 30), props_json='{"throw": 3}')

    assert children_of_a_render() == []
    assert list(crew.folder.iterdir()) == []


async def test_a_failure_takes_away_what_stood_there(crew: Crew) -> None:
    running = Running(crew, "counter.html")
    running.output.write_bytes(b"an older film")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await running.render()

    assert running.nothing_is_left()


async def test_renders_run_side_by_side(crew: Crew, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                crew.renderer.render(
                    add_page(crew.store, "counter.html"),
                    FrameRange(start, start + 10),
                    settings=page_settings(),
                    output=tmp_path / f"{start}.mp4",
                    on_event=lambda _: None,
                )
            )
            for start in (0, 10, 20)
        ]

    assert [task.result().frames for task in tasks] == [10, 10, 10]
    assert decode_frame_numbers(tmp_path / "20.mp4") == list(range(20, 30))
    assert children_of_a_render() == []
