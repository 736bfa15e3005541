"""Every clock and every timer of a page, in every frame, at every rate, whole and in chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

import framefarm
from tests.support.conformance import Belief, assert_rows, film_page, page_files, page_size
from tests.support.pages import LOSSLESS, Crew, tools_or_skip

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = ("24", "25", "30000/1001", "30", "50", "60")
FRAMES = (0, 40)

CLOCKS: dict[str, Belief] = {
    "framefarm.frame": lambda at: at.frame,
    "requestAnimationFrame": lambda at: at.tenths,
    "performance.now": lambda at: at.tenths,
    "document.timeline": lambda at: at.tenths,
    "event.timeStamp": lambda at: at.tenths,
    "performance.mark": lambda at: at.tenths,
    "Date.now": lambda at: at.date_ms,
    "new Date": lambda at: at.date_ms,
    "Date()": lambda at: at.date_ms // 1000,
    "Intl": lambda at: at.date_ms,
    "performance.timeOrigin": lambda _: 0,
    "Temporal": lambda at: at.date_ms,
}
TIMERS: dict[str, Belief] = {
    "setInterval of 7 ms": lambda at: at.ms // 7,
    "setTimeout of 10 ms, again and again": lambda at: at.ms // 10,
    "a timer of text": lambda at: 1000 * (at.ms >= 100),
    "requestIdleCallback": lambda at: at.frame,
    "setTimeout of 123.4 ms": lambda at: 1230 * (at.ms >= 123),  # Blink counts whole ones
    "document.timeline between frames": lambda _: 0,
    "AbortSignal.timeout": lambda at: 1500 * (at.ms >= 150),
    "scheduler.postTask": lambda at: 2000 * (at.ms >= 200),
    "setInterval in a timer": lambda at: max(0, (at.ms - 500) // 20),
}
PAGES = {"clocks.html": CLOCKS, "timers.html": TIMERS}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("page", PAGES)
async def test_the_clocks_of_a_page_show_its_frames(crew: Crew, page: str, rate: str) -> None:
    beliefs = PAGES[page]

    for frames in (FRAMES, (17, 40)):
        film = await film_page(crew, page, frames, rate=rate, rows=len(beliefs))

        assert_rows(film, frames, rate, beliefs)


async def test_a_minute_later_the_clocks_are_still_exact(crew: Crew) -> None:
    frames, rate = (1798, 1800), "30000/1001"

    film = await film_page(crew, "clocks.html", frames, rate=rate, rows=len(CLOCKS))

    wrapped = {name: wrap(belief) for name, belief in CLOCKS.items()}
    assert_rows(film, frames, rate, wrapped)


def wrap(belief: Belief) -> Belief:
    return lambda at: int(belief(at)) & 0xFFFF


@pytest.mark.parametrize(("workers", "page"), [(2, "clocks.html"), (3, "timers.html")])
async def test_workers_of_a_farm_show_the_clocks_of_a_page(
    tmp_path: Path, workers: int, page: str
) -> None:
    """A part of the page, in chunks of a length that does not divide it."""
    tools_or_skip()
    frames, rate, beliefs = (11, 51), "30000/1001", PAGES[page]
    site = tmp_path / "site"
    site.mkdir()
    for name, content in page_files().items():
        (site / name).write_bytes(content)

    video = await framefarm.render(
        site / page,
        tmp_path / "out.mp4",
        workers=workers,
        fps=rate,
        start_frame=frames[0],
        frames=frames[1] - frames[0],
        chunk_frames=17,
        preset="ultrafast",
        **page_size(len(beliefs)),
        **LOSSLESS,
    )

    assert_rows(video.output, frames, rate, beliefs)


async def test_a_fast_stamp_of_frame_zero_is_not_nothing(crew: Crew) -> None:
    html = """<script>
      let start = 0;
      requestAnimationFrame(function draw(stamp) {
        if (!start) start = stamp;
        console.log(stamp - start, Math.round(performance.now() - start));
        requestAnimationFrame(draw);
      });
    </script>"""

    film = await crew.film_html(html, (0, 3))

    assert film.console == ["0 0", "33.4 33", "66.7 67"]
