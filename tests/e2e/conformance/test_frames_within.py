"""Frames within the page have its time and draw its frames, whatever they are and come from."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from renderer.composition import PageUrl
from renderer.site import content_type
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


LATE = """<!doctype html><body><script>
  setTimeout(() => {
    document.body.append(Object.assign(document.createElement("iframe"), { src: "late.html" }));
  }, 121);
</script>"""
LATE_INNER = """<!doctype html>
  <style>b { animation: fade 1s linear } @keyframes fade { to { opacity: 0 } }</style><b>b</b>
  <script>
    const say = (...words) => top.console.log(JSON.stringify(words));
    say("script", performance.now());
    addEventListener("load", () => say("load", performance.now()));
    requestAnimationFrame((stamp) =>
      say("frame", stamp, document.querySelector("b").getAnimations()[0].currentTime));
  </script><link rel=stylesheet href=late.css><img src=late.svg>"""


async def test_a_slow_network_moves_nothing_of_a_late_frame_but_its_load_event(crew: Crew) -> None:
    """That comes in the frame that asked, or up to 10 ms of the page's time after the request."""
    texts = {"page.html": LATE, "late.html": LATE_INNER, "late.css": "", "late.svg": "<svg/>"}
    delays_s = {"late.html": 0.0, "late.css": 0.0, "late.svg": 0.0}

    async def serve(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        await asyncio.sleep(delays_s.get(name, 0.0))
        return web.Response(text=texts[name], content_type=content_type(name).partition(";")[0])

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:
        page = PageUrl(str(server.make_url("/page.html")))
        for delays_s["late.html"], delays_s["late.css"], delays_s["late.svg"] in (
            *((0.0, 0.0, 0.0), (0.2, 0.0, 0.1)),
            *((0.0, 0.1, 0.0), (0.1, 0.1, 0.3)),
        ):
            film = await crew.film(page, (0, 7))

            said = {name: numbers for name, *numbers in map(json.loads, film.console)}
            assert (said["script"], said["frame"]) == ([121], [133.4, 0])
            assert 121 <= said["load"][0] <= 133.4 + 10
