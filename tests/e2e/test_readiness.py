"""Frame 0 comes when the page is ready, and it is the page's first moment all the same."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from renderer.events import PageLog
from tests.support.frame_numbers import decoded_yuv
from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAY = "<script>requestAnimationFrame(() => console.log(JSON.stringify(%s)))</script>"


async def said_in_frame_zero(crew: Crew, html: str, expression: str, **settings: object) -> object:
    film = await crew.film_html(html + SAY % expression, (0, 1), **settings)
    return json.loads(film.console[-1])


async def test_the_page_is_given_its_props(crew: Crew) -> None:
    props = {"title": "Ünïcode </script> \u2028", "__proto__": 1, "list": [1, 2.5, None]}

    said = await said_in_frame_zero(crew, "", "framefarm.props", props_json=json.dumps(props))

    assert said == props


async def test_chance_is_the_seeds(crew: Crew) -> None:
    chance = "[Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(9))]"

    first, same, other = [
        await said_in_frame_zero(crew, "", chance, seed=seed) for seed in (7, 7, 1 << 40)
    ]

    assert same == first
    assert other != first


@pytest.mark.parametrize(
    "wait",
    [
        "framefarm.ready(Promise.resolve().then(done))",
        "framefarm.waitUntilStable = async () => done()",
        "window.framefarm = { ...{ waitUntilStable: async () => done() } }",
        "fetch('data.json').then((r) => r.json()).then(done)",
        "setTimeout(done, 0)",
        "requestIdleCallback(done)",
        # These wait for time itself, so some passes before frame 0, unseen.
        "framefarm.ready(new Promise((r) => setTimeout(r, 300)).then(done))",
        "framefarm.ready(new Promise((r) => requestAnimationFrame(r)).then(done))",
        "framefarm.ready(document.body.animate([], 40).finished.then(done))",
        "framefarm.ready(Object.assign(new Image(), {src: 'dot.svg'}).decode().then(done))",
    ],
)
async def test_frame_zero_waits_for_the_page(crew: Crew, wait: str) -> None:
    html = f"""<script>var isReady = false; const done = () => {{ isReady = true }}; {wait};
      const spy = setInterval(() => {{}}, 1)</script>
      <script>framefarm.onFrame((frame) => {{ if (frame === 0) console.log(JSON.stringify(
        [isReady, Math.round(performance.now()), Date.now() - Date.UTC(2024, 0, 1)])) }})
      </script>"""
    page = {
        "index.html": f"<!doctype html><body>{html}",
        "data.json": "{}",
        "dot.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    }

    film = await crew.film_files(page, (0, 2))

    assert json.loads(film.console[-1]) == [True, 0, 0]


async def test_animations_start_at_frame_zero_though_the_page_drew_before(crew: Crew) -> None:
    html = """<style>i { animation: go 10s linear } @keyframes go { to { opacity: 0 } }</style>
      <i>.</i><b>.</b><script>
      const slid = document.querySelector("b").animate([{ left: 0 }, { left: "9px" }], 5000);
      slid.currentTime = 500;
      framefarm.ready(new Promise((r) => setTimeout(r, 200)));
      requestAnimationFrame(function f() {
        const [css] = document.querySelector("i").getAnimations();
        if (framefarm.frame > 0) console.log(JSON.stringify([slid.currentTime, css.currentTime]));
        requestAnimationFrame(f);
      });</script>"""

    film = await crew.film_html(html, (0, 3))

    told = [json.loads(line) for line in film.console]
    assert told == [pytest.approx([533.4, 33.4]), pytest.approx([566.7, 66.7])]


async def test_a_start_time_that_the_page_gave_is_kept(crew: Crew) -> None:
    html = """<b>.</b><script>
      const slid = document.querySelector("b").animate([{ left: 0 }, { left: "9px" }], 5000);
      slid.startTime = document.timeline.currentTime - 1000;
      requestAnimationFrame(function f() {
        console.log(slid.currentTime.toFixed(3)); requestAnimationFrame(f);
      });</script>"""

    film = await crew.film_html(html, (0, 2))

    assert film.console == ["1000.000", "1033.400"]


@asynccontextmanager
async def slow_server(delay_s: float) -> AsyncGenerator[str]:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(delay_s)
        svg = "<svg xmlns='http://www.w3.org/2000/svg' width='480' height='270'>"
        body = f"{svg}<rect width='480' height='270' fill='#fff'/></svg>"
        return web.Response(text=body, content_type="image/svg+xml")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    "html",
    [
        "<img src='URL/a.svg'>",
        "<style>body { background: url(URL/b.svg) }</style>",
        "<img loading=lazy src='URL/c.svg'>",
        """<script>fetch("data.txt").then(() => document.body.append(
          Object.assign(new Image(), { src: "URL/d.svg" })))</script>""",
    ],
)
async def test_slow_pictures_are_in_frame_zero(crew: Crew, html: str) -> None:
    async with slow_server(0.3) as url:
        html = f"<!doctype html><style>body {{ margin: 0 }}</style><body>{html}"
        page = {"index.html": html.replace("URL", url), "data.txt": "x"}
        film = await crew.film_files(page, (0, 1), **LOSSLESS)

    assert (decoded_yuv(film.path)[0][0] == 235).all()


async def test_dialogs_do_not_stop_the_page(crew: Crew) -> None:
    html = """<script>alert("hello"); console.log(confirm("sure?"), prompt("name?"))</script>"""

    film = await crew.film_html(html, (0, 1))

    assert film.console == ["alert: hello", "confirm: sure?", "prompt: name?", "false null"]


async def test_the_console_is_told_with_its_levels(crew: Crew) -> None:
    await crew.film_html(
        "<script>console.log('one', 2, {a: 1}); console.warn('careful'); </script>", (0, 1)
    )

    said = [(event.level, event.text) for event in crew.events if isinstance(event, PageLog)]
    assert said == [("log", "one 2 Object"), ("warning", "careful")]


async def test_a_frame_within_the_page_has_the_same_time(crew: Crew) -> None:
    html = """<iframe srcdoc="<script>
        requestAnimationFrame(function f(stamp) {
          console.log('inner', stamp, performance.now()); requestAnimationFrame(f);
        });</script>"></iframe>"""

    film = await crew.film_html(html, (0, 3))

    least = "5e-324"  # frame 0 is at the least time above nothing
    assert film.console == [f"inner {least} {least}", "inner 33.4 33.4", "inner 66.7 66.7"]


async def test_a_frame_that_comes_later_joins_the_time(crew: Crew) -> None:
    html = """<script>setTimeout(() => {
        const late = document.body.appendChild(document.createElement("iframe"));
        late.srcdoc = "<script>requestAnimationFrame(function f(stamp) {" +
          "console.log(stamp, performance.now()); requestAnimationFrame(f); })<" + "/script>";
      }, 40)</script>"""

    film = await crew.film_html(html, (0, 5))

    assert film.console[-1] == "133.4 133.4"


async def test_a_page_may_go_on_to_another_one_while_it_loads(crew: Crew) -> None:
    page = {
        "index.html": "<!doctype html><script>location.replace('film.html')</script>",
        "film.html": "<!doctype html><body><script>console.log(location.pathname)</script>",
    }

    film = await crew.film_files(page, (0, 2))

    assert film.console == ["/film.html"]


async def test_a_font_is_there_in_frame_zero(crew: Crew) -> None:
    font = Path(subprocess.check_output(["fc-match", "-f", "%{file}", "DejaVu Sans"], text=True))
    html = """<!doctype html><style>
        @font-face { font-family: Own; src: url(own.ttf) }
        p { font: 40px Own, monospace; display: inline-block }
      </style><p>iiiiiiiiii</p><script>
        const width = () => document.querySelector("p").offsetWidth;
        const fallback = width();
        requestAnimationFrame(() => console.log(document.fonts.check("40px Own"),
          width() !== fallback));</script>"""

    film = await crew.film_files({"index.html": html, "own.ttf": font.read_bytes()}, (0, 1))

    assert film.console == ["true true"]


async def test_a_drawing_in_a_closed_shadow_root_starts_at_frame_zero(crew: Crew) -> None:
    html = """<div id="host"></div><script>
      const root = host.attachShadow({ mode: "closed" });
      root.innerHTML = "<style>i { animation: go 9s } @keyframes go { to { top: 9px } }</style><i>";
      const [animation] = root.querySelector("i").getAnimations();
      requestAnimationFrame(() => console.log(animation.currentTime));
      </script>"""

    film = await crew.film_html(html, (0, 1))

    assert film.console == ["0"]


async def test_the_first_callbacks_of_a_page_are_called_once_in_frame_zero(crew: Crew) -> None:
    html = """<script>
      let calls = 0;
      const say = (name) => () => console.log(name, framefarm.frame, ++calls);
      requestAnimationFrame(say("first"));
      cancelAnimationFrame(requestAnimationFrame(say("cancelled")));
      const late = requestAnimationFrame(say("cancelled in frame zero"));
      framefarm.onFrame(() => cancelAnimationFrame(late));
      requestAnimationFrame(say("second"));</script>"""

    film = await crew.film_html(html, (0, 3))

    assert film.console == ["first 0 1", "second 0 2"]


@pytest.mark.parametrize("url", ["'w.js'", "URL.createObjectURL(new Blob(['0']))"])
async def test_a_workers_script_holds_no_frame_up(crew: Crew, url: str) -> None:
    page = {"index.html": f"<!doctype html><body><script>new Worker({url})</script>", "w.js": "0"}

    film = await crew.film_files(page, (0, 2))

    assert film.chunk.frames == 2
