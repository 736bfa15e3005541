"""A chunk is a part of the whole film, bit for bit."""

from __future__ import annotations

import pytest

from renderer.settings import CaptureMode
from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What draws, and how it is filmed. More of it, in more chunks: test_bit_identity.py.
WAYS = {
    "counter.html": {},
    "counter-canvas.html": {"canvas_selector": "canvas"},
}


@pytest.mark.parametrize("page", WAYS)
async def test_a_chunk_shows_what_a_continuous_film_shows(crew: Crew, page: str) -> None:
    whole = await crew.film(page, (0, 40), **LOSSLESS, **WAYS[page])

    chunk = await crew.film(page, (20, 40), **LOSSLESS, **WAYS[page])

    assert len(set(whole.pictures)) >= 20
    assert chunk.pictures == whole.pictures[20:]


async def test_a_page_that_is_heavy_to_paint_is_exact_from_its_first_picture(crew: Crew) -> None:
    size = {"width_px": 1280, "height_px": 720}
    whole = (await crew.film("heavy.html", (0, 16), **size)).chunk.frame_digests
    assert len(set(whole)) == 16

    for start in (5, 14):
        chunk = await crew.film("heavy.html", (start, start + 2), **size)

        assert chunk.chunk.frame_digests == whole[start : start + 2], start


async def test_a_canvas_by_webgl_is_the_same_in_a_chunk(crew: Crew) -> None:
    whole = await crew.film("webgl.html", (0, 20), mode=CaptureMode.CANVAS, **LOSSLESS)

    chunk = await crew.film("webgl.html", (11, 20), mode=CaptureMode.CANVAS, **LOSSLESS)

    assert chunk.pictures == whole.pictures[11:]


async def test_the_same_chunk_is_the_same_file(crew: Crew) -> None:
    first = await crew.film("state.html", (5, 25))

    second = await crew.film("state.html", (5, 25))

    assert second.chunk.sha256 == first.chunk.sha256


async def test_another_seed_is_another_film(crew: Crew) -> None:
    first = await crew.film("state.html", seed=1)

    second = await crew.film("state.html", seed=2)

    assert second.pictures[0] != first.pictures[0]
