"""Pages with a memory and without: played to a chunk's first frame, or jumped there."""

from __future__ import annotations

import pytest

from renderer.settings import CaptureMode, History
from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("start", [4, 5, 70])
async def test_after_a_jump_a_page_without_a_memory_is_the_same_file(
    crew: Crew, start: int
) -> None:
    frames = (start, start + 6)
    played = await crew.film("seekable.html", frames, history=History.STATEFUL, **LOSSLESS)

    jumped = await crew.film("seekable.html", frames, history=History.SEEKABLE, **LOSSLESS)

    assert jumped.numbers == list(range(*frames))
    assert jumped.chunk.sha256 == played.chunk.sha256


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
