"""Workers have the page's time, and what they say and paint is in the frame it belongs to."""

from __future__ import annotations

import pytest

from tests.support.conformance import Belief, Moment, assert_rows, film_page
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = (0, 30)


def before(at: Moment) -> Moment:
    """What a frame asks a worker, the next frame shows."""
    return Moment(max(0, at.frame - 1), at.rate)


def since_made(at: Moment) -> int:
    """A worker of 311 ms has waited for 100."""
    return (311_100 & 0xFFFF) * (at.ms >= 411)


BELIEFS: dict[str, Belief] = {
    "requestAnimationFrame": lambda at: at.tenths,
    "performance.now": lambda at: at.tenths,
    "Date.now": lambda at: at.date_ms,
    "new Date": lambda at: at.date_ms,
    "setInterval of 7 ms": lambda at: at.ms // 7,
    "setTimeout of 10 ms, again and again": lambda at: at.ms // 10,
    "setTimeout of 123.4 ms": lambda at: 1230 * (at.ms >= 123),
    "frames drawn before": lambda at: at.frame,
    "performance.timeOrigin": lambda _: 0,
    "its own name": lambda _: 1,
    "setInterval of 9 ms in a worker's worker": lambda at: at.ms // 9,
    "messages of a timer": lambda at: at.ms // 10,
    "an answer to the frame before": lambda at: before(at).frame,
    "an answer to a hook": lambda at: at.frame,
    "a shared worker": lambda at: before(at).tenths,
    "a worker made between frames": since_made,
    "an OffscreenCanvas": lambda at: at.frame,
}


@pytest.mark.parametrize("rate", ["25", "30000/1001", "60"])
async def test_the_workers_of_a_page_show_its_frames(crew: Crew, rate: str) -> None:
    for frames in (FRAMES, (17, 30)):
        film = await film_page(crew, "workers.html", frames, rate=rate, rows=len(BELIEFS))

        assert_rows(film, frames, rate, BELIEFS)
