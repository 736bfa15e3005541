"""Any Chromium films a page by screenshots: the same frames, and what it cannot do is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import pytest_asyncio

from renderer.drawing import Drawing
from renderer.fingerprint import read_fingerprint
from renderer.settings import CaptureMode, History
from tests.support.pages import LOSSLESS, Crew, open_crew, tools_or_skip

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crew(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crew]:
    tools = replace(tools_or_skip(), drawing=Drawing.SCREENSHOT)
    async with open_crew(tmp_path_factory.mktemp("crew"), tools=tools) as crew:
        yield crew


@pytest.mark.parametrize("page", ["counter.html", "counter-css.html", "state.html"])
async def test_frames_show_their_numbers(crew: Crew, page: str) -> None:
    whole = await crew.film(page, (0, 8))
    chunk = await crew.film(page, (5, 8))

    assert whole.numbers == list(range(8))
    assert whole.chunk.timings.strategy == "screenshot"
    assert "no BeginFrame" in whole.chunk.timings.why
    assert chunk.chunk.frame_digests == whole.chunk.frame_digests[5:]


async def test_time_jumps_where_it_may(crew: Crew) -> None:
    film = await crew.film("seekable.html", (300, 303), history=History.SEEKABLE)

    assert film.numbers == [300, 301, 302]


async def test_a_small_page_is_drawn_in_its_own_size(crew: Crew) -> None:
    html = "<style>body { margin: 0; background: #fff; height: 900px }</style>"

    film = await crew.film_html(html, (0, 3), width_px=64, height_px=20, **LOSSLESS)

    assert (film.chunk.width_px, film.chunk.height_px) == (64, 20)
    assert (film.planes[0][0] == 235).all()
    assert film.chunk.timings.repeated_frames == 2


async def test_a_canvas_is_read_as_everywhere(crew: Crew) -> None:
    film = await crew.film("webgl.html", (0, 6), mode=CaptureMode.CANVAS)

    assert film.numbers == [0, 0, 2, 2, 4, 4]
    assert film.chunk.timings.strategy == "canvas-memory"


async def test_what_is_filmed_by_screenshots_fits_nothing_else(crew: Crew) -> None:
    tools = tools_or_skip()
    by_begin_frame = await read_fingerprint(replace(tools, drawing=Drawing.BEGIN_FRAME))

    assert crew.renderer.facts.capture == "screenshot canvas"
    assert by_begin_frame.capture == "begin-frame canvas"
    assert crew.renderer.fingerprint != by_begin_frame.id
