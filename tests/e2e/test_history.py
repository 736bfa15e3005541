"""Pages with a memory and without: played to a chunk's first frame, or jumped there."""

from __future__ import annotations

import pytest

from coordinator.job import Event, HistoryFound, JobSpec
from coordinator.orchestrator import RenderOrchestrator
from executors.local import LocalExecutor
from renderer.frames import FrameRange, FrameRate
from renderer.settings import CaptureMode, History
from tests.support.frame_numbers import decode_frame_numbers, frame_digests
from tests.support.pages import LOSSLESS, Crew, add_page, page_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="crew")
def crew_that_keeps_nothing(cold: Crew) -> Crew:
    return cold


@pytest.mark.parametrize("start", [4, 5, 70])
async def test_after_a_jump_a_page_without_a_memory_is_the_same_file(
    crew: Crew, start: int
) -> None:
    frames = (start, start + 6)
    played = await crew.film("seekable.html", frames, history=History.STATEFUL, **LOSSLESS)

    jumped = await crew.film("seekable.html", frames, history=History.SEEKABLE, **LOSSLESS)

    assert jumped.numbers == list(range(*frames))
    assert jumped.chunk.sha256 == played.chunk.sha256


async def test_a_jump_over_minutes_brings_every_clock_of_a_page_along(crew: Crew) -> None:
    ways = {"frame_rate": FrameRate(1), **LOSSLESS}  # SMIL goes on by no more than 60 s at once
    played = await crew.film("seekable.html", (130, 133), history=History.STATEFUL, **ways)

    jumped = await crew.film("seekable.html", (130, 133), history=History.SEEKABLE, **ways)

    assert jumped.chunk.frame_digests == played.chunk.frame_digests


async def test_a_canvas_is_the_same_after_a_jump(crew: Crew) -> None:
    ways = {"mode": CaptureMode.CANVAS, **LOSSLESS}
    played = await crew.film("counter-canvas.html", (50, 54), history=History.STATEFUL, **ways)

    jumped = await crew.film("counter-canvas.html", (50, 54), history=History.SEEKABLE, **ways)

    assert jumped.chunk.sha256 == played.chunk.sha256


async def test_a_jump_shows_that_a_page_has_a_memory(crew: Crew) -> None:
    played = await crew.film("state.html", (40, 42), history=History.STATEFUL, **LOSSLESS)

    jumped = await crew.film("state.html", (40, 42), history=History.SEEKABLE, **LOSSLESS)

    assert set(jumped.pictures).isdisjoint(played.pictures)


async def test_frames_that_are_left_out_are_not_played(crew: Crew) -> None:
    script = "framefarm.onFrame((frame) => console.log(`hook ${frame}`))"
    film = await crew.film_html(f"<script>{script}</script>", (20, 22), history=History.SEEKABLE)

    assert film.console == [f"hook {frame}" for frame in (0, 17, 18, 19, 20, 21)]


@pytest.mark.parametrize(
    ("page", "history"), [("seekable.html", History.SEEKABLE), ("state.html", History.STATEFUL)]
)
async def test_a_job_in_chunks_shows_what_one_film_shows_however_it_got_there(
    crew: Crew, page: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.history._WORTH_FRAMES", 1)
    whole = await crew.film(page, (0, 39), **LOSSLESS)
    orchestrator = RenderOrchestrator(crew.store, LocalExecutor(crew.renderer))
    spec = JobSpec(
        composition=add_page(crew.store, page),
        settings=page_settings(**LOSSLESS),
        frames=FrameRange(0, 39),
        chunk_frames=13,
    )
    output, events = crew.folder / f"job-{page}.mp4", list[Event]()

    await orchestrator.render(orchestrator.plan(spec, job_id="job"), output, on_event=events.append)

    assert [each.history for each in events if isinstance(each, HistoryFound)] == [history]
    assert decode_frame_numbers(output) == list(range(39))
    assert frame_digests(output) == whole.pictures
