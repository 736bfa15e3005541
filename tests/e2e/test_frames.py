"""Every frame shows its own moment, whatever the page reads it from."""

from __future__ import annotations

import json

import pytest

from renderer.frames import FrameRate
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = ("30", "30000/1001", "24", "60", "25")
COUNTERS = {
    "counter.html": {},
    "counter-css.html": {},
    "counter-canvas.html": {"canvas_selector": "#film"},
}


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("page", COUNTERS)
async def test_each_frame_bears_its_number(crew: Crew, page: str, fps: str) -> None:
    rate = FrameRate.parse(fps)

    film = await crew.film(page, (0, 40), frame_rate=rate, **COUNTERS[page])

    assert film.numbers == list(range(40))
    assert film.progress == list(range(1, 41))


@pytest.mark.parametrize("frames", [(0, 1), (0, 3), (7, 8), (31, 34)])
async def test_a_short_chunk_is_exact_too(crew: Crew, frames: tuple[int, int]) -> None:
    film = await crew.film("counter.html", frames)

    assert film.numbers == list(range(*frames))
    assert film.chunk.frames == frames[1] - frames[0]


async def test_a_chunk_tells_the_facts_of_its_file(crew: Crew) -> None:
    film = await crew.film("counter.html")

    assert (film.chunk.width_px, film.chunk.height_px) == (480, 270)
    assert film.chunk.size_bytes == film.path.stat().st_size
    assert film.chunk.seconds > 0
    assert len(film.chunk.sha256) == 64


@pytest.mark.parametrize("fps", RATES)
async def test_all_clocks_read_the_frames_time(crew: Crew, fps: str) -> None:
    rate = FrameRate.parse(fps)

    film = await crew.film("clocks.html", (0, 40), frame_rate=rate)

    told = [json.loads(line) for line in film.console]
    times_ms = [rate.time_us(frame) / 1000 for frame in range(40)]
    assert [frame["frame"] for frame in told] == list(range(40))
    for clock in ("stamp", "now", "timeline", "event", "css", "waapi"):
        assert [frame[clock] for frame in told] == pytest.approx(times_ms, abs=1e-6), clock
    # Date has whole milliseconds only; they are rounded up, as frame times are.
    for clock in ("date", "newDate"):
        assert [frame[clock] for frame in told] == [-(-ms // 1) for ms in times_ms], clock


async def test_the_load_takes_no_time(crew: Crew) -> None:
    film = await crew.film("clocks.html", (0, 1))

    first = json.loads(film.console[0])
    assert first["startedAt"] == [0, 1_704_067_200_000, 0]
    assert first["ticks"] == 0


async def test_timers_set_while_loading_count_from_frame_zero(crew: Crew) -> None:
    film = await crew.film("clocks.html", (0, 6))

    last = json.loads(film.console[-1])
    assert last["fired"] == 50
    assert last["ticks"] == 16  # every 10 ms, at 166.7 ms
    assert "a cleared timer fired" not in film.console
