"""What a frame shows is there when the frame is filmed, however late the page asked for it."""

from __future__ import annotations

import json

import pytest

from renderer.errors import FrameStalledError
from renderer.frames import FrameRate
from tests.support.frame_numbers import decoded_yuv
from tests.support.pages import LOSSLESS, Crew
from tests.support.slow_server import WHITE_SVG, slow_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHITE, BLACK = 235, 16
SIDE_PX = 48  # of a cell; ten in a row

# Each makes its cell white as soon as something slow has come. `i` is the cell, NAME its
# number, ~ the slow server.
WAYS = {
    "background": "i.style.background = 'url(~/NAME.svg)'",
    "before": "style('#ID::before { content: url(~/NAME.svg) }')",
    "after": 'style(\'#ID::after { content: ""; position: absolute; inset: 0; '
    "background: url(~/NAME.svg) }')",
    "mask": "style('#ID { background: #fff; mask-image: url(~/NAME.svg) }')",
    "border-image": "style('#ID { box-sizing: border-box; border: 24px solid #000; "
    "border-image: url(~/NAME.svg) 33% fill stretch }')",
    "list-style": "i.style.cssText += 'display: list-item; list-style: inside url(~/NAME.svg)'",
    "img": "i.append(image('~/NAME.svg'))",
    "lazy img": "i.append(image('~/NAME.svg', { loading: 'lazy' }))",
    "async img": "i.append(image('~/NAME.svg', { decoding: 'async' }))",
    "picture": "i.innerHTML = '<picture><source srcset=\"~/NAME.svg 1x\"><img></picture>'",
    "svg image": "i.innerHTML = '<svg width=48 height=48><image href=\"~/NAME.svg\" /></svg>'",
    "poster": "i.innerHTML = '<video poster=\"~/NAME.svg\" width=480 height=270></video>'",
    "style sheet": "head('<link rel=stylesheet href=\"~/sheet.css\">')",
    "imported style": "head('<style>@import url(~/imports.css)</style>')",
    "frame": "i.innerHTML = '<iframe src=\"~/white.html\"></iframe>'",
    "script": "head.script('~/script.js')",
    "fetched": "fetch('~/NAME.svg').then((r) => r.blob()).then((blob) => "
    "i.append(image(URL.createObjectURL(blob))))",
    "data": "i.append(image('data:image/svg+xml,' + encodeURIComponent(`SVG`)))",
    "one after another": "{ const first = image('~/first.svg', { onload() { "
    "i.style.background = 'url(~/NAME.svg)' } }) }",
    "shadow": "i.attachShadow({ mode: 'closed' }).innerHTML = "
    "'<style>:host { background: url(~/NAME.svg) }</style>'",
}
FILES: dict[str, str | bytes] = {
    "sheet.css": "#w12 { background: #fff !important }",
    "imports.css": "@import url(imported.css);",
    "imported.css": "#w13 { background: #fff !important }",
    "white.html": "<body style='margin: 0; background: #fff'>",
    "script.js": "document.querySelector('#w15').style.background = '#fff'",
}


def page_of(when: str, url: str) -> str:
    cells = "".join(f"<span id=w{n}></span>" for n in range(len(WAYS)))
    acts = "\n".join(
        f"{{ const i = document.querySelector('#w{n}'); {way} }}".replace("NAME", f"{n}").replace(
            "ID", f"w{n}"
        )
        for n, way in enumerate(WAYS.values())
    )
    html = f"""<!doctype html><style>
        body {{ margin: 0; background: #000; font-size: 0; display: grid;
          grid: auto-flow {SIDE_PX}px / repeat(10, {SIDE_PX}px) }}
        iframe {{ border: 0; color-scheme: light }}
        span {{ position: relative; overflow: hidden }}
      </style><body>{cells}<script>
      const image = (src, more) => Object.assign(new Image(), more, {{ src }});
      const head = (html) => document.head.insertAdjacentHTML("beforeend", html);
      head.script = (src) =>
        document.head.append(Object.assign(document.createElement("script"), {{ src }}));
      const style = (rule) => head("<style>" + rule + "</style>");
      const act = () => {{ {acts} }};
      {when};
      </script>"""
    return html.replace("~", url).replace("SVG", WHITE_SVG)


AT_FRAME_2 = """
  let frame = 0;
  requestAnimationFrame(function draw() {
    if (frame++ === 2) act();
    requestAnimationFrame(draw);
  })"""


@pytest.mark.parametrize(
    ("when", "first"),
    [
        ("act()", 0),
        ("requestAnimationFrame(act)", 0),
        (AT_FRAME_2, 2),
        ("framefarm.onFrame((frame) => { if (frame === 2) act() })", 2),
        ("setTimeout(act, 40)", 2),
    ],
    ids=["at load", "in frame 0", "in frame 2", "in a hook", "in a timer"],
)
async def test_what_is_late_is_in_the_frame_that_shows_it(
    crew: Crew, when: str, first: int
) -> None:
    async with slow_server(0.2, FILES) as url:
        film = await crew.film_files({"index.html": page_of(when, url)}, (0, 4), **LOSSLESS)

    for frame, (luma, *_) in enumerate(decoded_yuv(film.path)):
        rows, columns = zip(*(divmod(n, 10) for n in range(len(WAYS))), strict=True)
        shown = {
            way: luma[row * SIDE_PX + 24, column * SIDE_PX + 24]
            for way, row, column in zip(WAYS, rows, columns, strict=True)
        }
        assert shown == dict.fromkeys(WAYS, WHITE if frame >= first else BLACK), f"frame {frame}"


async def test_a_late_font_is_in_the_frame_that_uses_it(crew: Crew) -> None:
    html = """<!doctype html><style>
        @font-face { font-family: Late; src: url(~/late.ttf) }
        body { margin: 0; background: #000; color: #fff; font: 90px monospace }
        .late { font-family: Late }
      </style><body>iiWW<script>
      let frame = 0;
      requestAnimationFrame(function draw() {
        document.body.classList.toggle("late", frame++ >= 2);
        requestAnimationFrame(draw);
      })</script>"""
    async with slow_server(0.2) as url:
        film = await crew.film_files({"index.html": html.replace("~", url)}, (0, 4), **LOSSLESS)

    before, _, first, second = film.pictures
    assert first == second
    assert first != before


async def test_what_the_page_gives_up_is_not_waited_for(crew: Crew) -> None:
    html = """<body><script>
      const inner = document.createElement("iframe");
      const image = new Image();
      const giveUp = new AbortController();
      let frame = 0;
      requestAnimationFrame(function draw() {
        if (frame === 1) {
          inner.srcdoc = "<img src='~/inner.svg'>";
          document.body.append(inner, image);
          image.src = "~/given-up.svg";
          fetch("~/fetched.svg", { signal: giveUp.signal }).catch(() => console.log("given up"));
          Promise.resolve().then(() => {
            inner.remove();
            giveUp.abort();
            image.src = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";
          });
        }
        frame++;
        requestAnimationFrame(draw);
      })</script>"""
    async with slow_server(60) as url:
        film = await crew.film_files({"index.html": html.replace("~", url)}, (0, 4))

    assert film.console == ["given up"]


@pytest.mark.parametrize("asks", ["new Image().src =", "fetch"])
async def test_a_picture_that_never_comes_is_named(crew: Crew, asks: str) -> None:
    html = f"<script>framefarm.onFrame((f) => {{ if (f === 1) {asks} ('~/never.svg') }})</script>"
    async with slow_server(60) as url:
        with pytest.raises(FrameStalledError, match=f"through frame 1 .*: {url}/never.svg"):
            await crew.film_files({"index.html": html.replace("~", url)}, (0, 4))


async def test_a_frame_that_waited_is_still_at_its_own_time(crew: Crew) -> None:
    html = """<body><script>
      const slid = document.body.animate([{ left: 0 }, { left: "9px" }], 5000);
      let frame = 0;
      requestAnimationFrame(function draw(stamp) {
        new Image().src = `~/${frame++}.svg`;
        console.log(stamp, performance.now(), document.timeline.currentTime, slid.currentTime);
        requestAnimationFrame(draw);
      })</script>"""
    async with slow_server(0.01) as url:
        film = await crew.film_files({"index.html": html.replace("~", url)}, (0, 40))

    times = [FrameRate(30).time_us(frame) / 1000 for frame in range(40)]
    told = [json.loads(f"[{line.replace(' ', ',')}]") for line in film.console]
    assert told == [pytest.approx([time] * 4) for time in times]
