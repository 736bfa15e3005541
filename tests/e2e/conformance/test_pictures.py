"""Animated pictures show the one of their time, wherever and whenever the page shows them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from renderer.settings import History
from tests.support.conformance import Belief, assert_rows, film_page
from tests.support.moving_pictures import PICTURES, moving_picture
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE_MS = 100
LATE_MS = 600
SHOWN_MS = 900

# What is in a row of the page, from the second one on: in an element of its size, or it itself.
# URL is the picture's own; DATA and blob are the same picture by other ways.
EARLY = {
    "img": '<img class="ROW" src="URL">',
    "background": '<i class="ROW" style="background: url(URL)"></i>',
    "img that is hidden": '<img class="ROW hidden" src="URL">',
}
LATE = {
    "late img": '<img class="ROW" src="URL">',
    "late background": '<i class="ROW" style="background: url(URL)"></i>',
    "late border image": '<i class="ROW" style="box-sizing: border-box; border: 12px solid; '
    'border-image: url(URL) 12 fill"></i>',
    "late SVG image": '<svg class="ROW"><image href="URL" width="400" height="24" /></svg>',
    "late shadow root": '<div class="ROW" data-shadow="<img src=URL>"></div>',
    "late data": '<img class="ROW" src="DATA">',
    "late blob": '<img class="ROW blob">',
    "late frame": '<iframe class="ROW" srcdoc="<style>body { margin: 0 }</style>'
    '<img src=URL>"></iframe>',
}
PAGE = """<!doctype html>
<meta charset="utf-8" />
<style>
  html, body { margin: 0; background: #000; overflow: hidden }
  img, i, div[class], svg, iframe { position: absolute; left: 0; width: 400px; height: 24px }
  iframe { border: 0 }
  .hidden { display: none }
  PLACES
</style>
<body>
EARLY
<script src="squares.js"></script>
<script src="rows.js"></script>
<script>
  const fetched = fetch("moving.NAME?fetched").then((reply) => reply.blob());
  setTimeout(() => {
    document.body.insertAdjacentHTML("beforeend", `LATE_ROWS`);
    for (const host of document.querySelectorAll("[data-shadow]")) {
      host.attachShadow({ mode: "closed" }).innerHTML = host.dataset.shadow;
    }
    framefarm.ready(fetched.then((blob) => {
      document.querySelector(".blob").src = URL.createObjectURL(blob);
    }));
  }, LATE_MS);
  setTimeout(() => document.querySelector(".hidden").classList.remove("hidden"), SHOWN_MS);
  rows("frame");
  eachFrame(() => show({ frame: framefarm.frame }));
</script>
"""


def begun(ms: int) -> Belief:
    return lambda at: at.since(ms) // PICTURE_MS % PICTURES


BELIEFS: dict[str, Belief] = {
    "frame": lambda at: at.frame,
    **dict.fromkeys(EARLY, begun(0)),
    "img that is hidden": begun(SHOWN_MS),
    **dict.fromkeys(LATE, begun(LATE_MS)),
}


@pytest.mark.parametrize(
    ("name", "rate", "cuts"),
    [
        ("gif", "30", (37,)),
        ("apng", "25", (16, 59)),
        ("webp", "60", (36,)),
        ("avif", "30", (19,)),
    ],
)
async def test_animated_pictures(
    crew: Crew, tmp_path: Path, name: str, rate: str, cuts: tuple[int, ...]
) -> None:
    files = a_page(tmp_path, name)

    whole = await film_page(crew, files, (0, 60), rate=rate, rows=len(BELIEFS))
    chunks = [await film_page(crew, files, (cut, 60), rate=rate, rows=len(BELIEFS)) for cut in cuts]

    assert_rows(whole, (0, 60), rate, BELIEFS)
    for cut, chunk in zip(cuts, chunks, strict=True):
        assert chunk.pictures == whole.pictures[cut:], f"from frame {cut} on"


def a_page(folder: Path, name: str) -> dict[str, str | bytes]:
    picture = moving_picture(folder, name, PICTURE_MS)
    mime = "image/png" if name == "apng" else f"image/{name}"
    data = f"data:{mime};base64,{base64.b64encode(picture).decode()}"
    rows = [
        html.replace("ROW", f"r{row}").replace("URL", f"moving.{name}?{row}")
        for row, html in enumerate([*EARLY.values(), *LATE.values()], start=1)
    ]
    given = {
        "PLACES": "".join(f".r{row} {{ top: {24 * row}px }}" for row in range(1, len(rows) + 1)),
        "EARLY": "".join(rows[: len(EARLY)]),
        "LATE_ROWS": "".join(rows[len(EARLY) :]),
        "DATA": data,
        "NAME": name,
        "LATE_MS": str(LATE_MS),
        "SHOWN_MS": str(SHOWN_MS),
    }
    page = PAGE
    for word, text in given.items():
        page = page.replace(word, text)
    return {"index.html": page, f"moving.{name}": picture}


async def test_a_page_that_seldom_changes_does_not_stop_where_its_picture_does(
    crew: Crew, tmp_path: Path
) -> None:
    """The picture goes on in the very frame that the page changes, after frames that it does not.

    Chromium then paints the picture first, and used to wait for ever, for itself.
    """
    html = """<!doctype html>
        <style>body { margin: 0; background: #000 } img { display: block }</style>
        <body><img src="moving.gif" />
        <iframe srcdoc="of its own" style="position: absolute; top: 48px"></iframe><script>
          addEventListener("pointerrawupdate", () => {});
          addEventListener("touchend", () => {}, { passive: true });
          const late = '<img src="moving.gif?late" />';
          setTimeout(() => document.body.insertAdjacentHTML("beforeend", late), 600);
        </script>"""
    files: dict[str, str | bytes] = {
        "index.html": html,
        "moving.gif": moving_picture(tmp_path, "gif", PICTURE_MS),
    }

    film = await film_page(crew, files, (0, 24), rate="30", rows=2)

    assert_rows(film, (0, 24), "30", {"early": begun(0), "late": begun(LATE_MS)})


async def test_a_jump_of_minutes_keeps_a_picture_in_time(crew: Crew, tmp_path: Path) -> None:
    """After 5 minutes unpainted Chromium would let it begin anew."""
    frames, rate = (400, 402), "1"
    files: dict[str, str | bytes] = {
        "index.html": "<!doctype html><style>body { margin: 0 }</style><img src='moving.gif'>",
        "moving.gif": moving_picture(tmp_path, "gif", 700),
    }

    film = await film_page(crew, files, frames, rate=rate, rows=1, history=History.SEEKABLE)

    assert_rows(film, frames, rate, {"img": lambda at: at.ms // 700 % PICTURES})
