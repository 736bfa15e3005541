"""The right pixels: a canvas wherever it hides, one element, the colours as they are."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.settings import CaptureMode
from tests.support.frame_numbers import decoded_yuv
from tests.support.pages import LOSSLESS, Crew, Film

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHITE, BLACK = 235, 16  # luma of the limited range


def luma(film: Film, frame: int = 0) -> np.ndarray:
    return decoded_yuv(film.path)[frame][0]


async def test_a_canvas_is_filmed_in_its_own_size(crew: Crew) -> None:
    film = await crew.film(
        "counter-canvas.html", props_json='{"width": 640, "height": 100}', canvas_selector="#film"
    )

    assert (film.chunk.width_px, film.chunk.height_px) == (640, 100)
    assert film.numbers == [0, 1, 2]


async def test_a_canvas_in_nested_shadow_roots_is_found(crew: Crew) -> None:
    film = await crew.film(
        "counter-canvas.html", (3, 6), props_json='{"shadow": true}', canvas_selector="#film"
    )

    assert film.numbers == [3, 4, 5]


async def test_a_webgl_canvas_keeps_what_it_does_not_redraw(crew: Crew) -> None:
    film = await crew.film("webgl.html", (0, 6), mode=CaptureMode.CANVAS)

    assert film.numbers == [0, 0, 2, 2, 4, 4]


async def test_what_a_canvas_leaves_open_is_white(crew: Crew) -> None:
    film = await crew.film_html(
        "<canvas width=64 height=64></canvas>", mode=CaptureMode.CANVAS, **LOSSLESS
    )

    assert (luma(film) == WHITE).all()


TARGET = """<style>
  body { margin: 0; background: #000; }
  #box { position: absolute; background: #fff; %s }
</style><div id="host"></div><script>
  const box = Object.assign(document.createElement("div"), { id: "box" });
  host.append(box);
</script>"""


@pytest.mark.parametrize(
    ("place", "size", "white"),
    [
        ("left:100px; top:50px; width:120px; height:80px", (120, 80), (120, 80)),
        ("left:100px; top:50px; width:121px; height:81px", (122, 82), (121, 81)),
        ("right:0; bottom:0; width:121px; height:80px", (122, 80), (121, 80)),
    ],
)
async def test_a_target_is_cut_out(
    crew: Crew, place: str, size: tuple[int, int], white: tuple[int, int]
) -> None:
    film = await crew.film_html(TARGET % place, target_selector="#box", **LOSSLESS)

    assert (film.chunk.width_px, film.chunk.height_px) == size
    assert (luma(film) == WHITE).sum() == white[0] * white[1]


async def test_a_target_in_a_shadow_root_is_found(crew: Crew) -> None:
    html = """<div id="host"></div><script>
      host.attachShadow({ mode: "open" }).innerHTML =
        "<div id=box style='width:100px;height:40px;background:red'></div>";
    </script>"""

    film = await crew.film_html(html, target_selector="#box")

    assert (film.chunk.width_px, film.chunk.height_px) == (100, 40)


async def test_a_target_keeps_its_box_of_frame_zero_in_every_chunk(crew: Crew) -> None:
    html = """<style>body { margin: 0 }
      #box { width: 100px; height: 40px; animation: grow 1s linear }
      @keyframes grow { to { width: 300px; margin-left: 50px } }</style><div id=box></div>"""

    film = await crew.film_html(html, (20, 22), target_selector="#box")

    assert (film.chunk.width_px, film.chunk.height_px) == (100, 40)


async def test_the_viewport_is_the_film(crew: Crew) -> None:
    html = """<style>body { margin: 0; background: #fff; height: 3000px }</style><script>
      onload = () => console.log(innerWidth, innerHeight, devicePixelRatio);</script>"""

    film = await crew.film_html(html, width_px=640, height_px=360, **LOSSLESS)

    assert film.console == ["640 360 1"]
    assert (luma(film) == WHITE).all()  # no scroll bar
