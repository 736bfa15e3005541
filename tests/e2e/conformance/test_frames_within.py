"""Frames within the page have its time and draw its frames, whatever they are and come from."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.conformance import CONFORMANCE_PAGES, Belief, assert_bars, assert_row, film_page
from tests.support.pages import PAGES, Crew, Film

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ("file", "srcdoc", "written", "blank", "nested", "sandboxed", "cross")


async def film_frames(
    crew: Crew, kinds: tuple[str, ...], frames: tuple[int, int], rate: str
) -> Film:
    """A page with these frames in it, three rows each; a cross frame is of another site."""

    async def serve(request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        folder = PAGES if name == "squares.js" else CONFORMANCE_PAGES
        return web.FileResponse(folder / name)

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:
        props = {"kinds": kinds, "cross": str(server.make_url("/inner.html"))}
        rows = 1 + 3 * len(kinds)
        return await film_page(crew, "frames.html", frames, rate=rate, rows=rows, props=props)


@pytest.mark.parametrize(
    ("frames", "rate"), [((0, 30), "30000/1001"), ((17, 30), "30000/1001"), ((0, 30), "60")]
)
async def test_frames_that_are_there_from_the_start(
    crew: Crew, frames: tuple[int, int], rate: str
) -> None:
    film = await film_frames(crew, KINDS, frames, rate)

    assert_row(film, frames, rate, 0, ("frame", lambda at: at.frame))
    for number, kind in enumerate(KINDS):
        assert_row(film, frames, rate, 1 + 3 * number, (f"{kind}: time", lambda at: at.tenths))
        bar: dict[str, Belief] = {f"{kind}: bar": lambda at: 0.2 * at.ms}
        assert_bars(film, frames, rate, 2 + 3 * number, bar)


async def test_frames_that_come_late_have_the_time_of_the_page(crew: Crew) -> None:
    """From the second frame on that shows them. Another origin's may be 0.1 ms beside it."""
    kinds = tuple(f"late{kind}" for kind in KINDS if kind != "file")
    rate, frames = "25", (15, 30)

    film = await film_frames(crew, kinds, frames, rate)

    for number, kind in enumerate(kinds):
        off = 1 if kind in {"latecross", "latesandboxed"} else 0
        belief: Belief = lambda at: at.tenths  # noqa: E731 - one belief of many
        assert_row(film, frames, rate, 1 + 3 * number, (f"{kind}: time", belief), off=off)
