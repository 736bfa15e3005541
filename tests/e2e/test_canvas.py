"""A canvas' pixels reach us the same by every way, whatever is drawn on it and however."""

from __future__ import annotations

from typing import Any

import pytest

from renderer.capture import carriers
from renderer.encode.codec_facts import Codec
from renderer.settings import CaptureMode
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALPHA: dict[str, Any] = {"transparent": True, "codec": Codec.FFV1, "preset": ""}
CANVAS = "const canvas = document.querySelector('canvas');"
DRAW = """
  requestAnimationFrame(function draw(stamp) {
    context.clearRect(0, 0, 64, 48);
    for (let i = 0; i < 9; i++) {
      context.fillStyle = `hsl(${i * 40 + stamp / 9} 80% 50% / ${ALPHA})`;
      context.fillRect(i * 7 + stamp / 50, i * 3.3, 21, 17.5);
    }
    requestAnimationFrame(draw);
  });
"""
OFFSCREEN_2D = "canvas.transferControlToOffscreen().getContext('2d')"
CONTEXTS = {
    "opaque": f"const context = canvas.getContext('2d', {{ alpha: false }}), ALPHA = 1;{DRAW}",
    "translucent": f"const context = canvas.getContext('2d'), ALPHA = 0.37;{DRAW}",
    "wide colours": "const context = canvas.getContext('2d', { colorSpace: 'display-p3' }),"
    f" ALPHA = 0.9;{DRAW}",
    "offscreen": f"const context = {OFFSCREEN_2D}, ALPHA = 0.5;{DRAW}",
    "WebGL": """
      const gl = canvas.getContext("webgl2", { premultipliedAlpha: false });
      requestAnimationFrame(function draw(stamp) {
        gl.clearColor(0.3, stamp / 2000, 0.9, 0.6);
        gl.clear(gl.COLOR_BUFFER_BIT);
        requestAnimationFrame(draw);
      });
    """,
    "an image": """
      const context = canvas.getContext("bitmaprenderer");
      const paper = new OffscreenCanvas(64, 48), pen = paper.getContext("2d");
      requestAnimationFrame(function draw(stamp) {
        pen.fillStyle = `hsl(${stamp} 80% 50% / 0.5)`;
        pen.fillRect(stamp / 9, 5, 20, 20.5);
        context.transferFromImageBitmap(paper.transferToImageBitmap());
        requestAnimationFrame(draw);
      });
    """,
}


def nothing(browser_pid: int) -> list[int]:
    del browser_pid
    return []


@pytest.mark.parametrize(
    ("context", "settings"), [*((context, {}) for context in CONTEXTS), ("translucent", ALPHA)]
)
async def test_memory_and_file_hold_the_same_pixels(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, context: str, settings: dict[str, Any]
) -> None:
    html = f"<canvas width=64 height=48></canvas><script>\n{CANVAS}{CONTEXTS[context]}</script>"

    by_memory = await crew.film_html(html, (1, 5), mode=CaptureMode.CANVAS, **settings)
    monkeypatch.setattr(carriers, "_page_processes", nothing)
    by_file = await crew.film_html(html, (1, 5), mode=CaptureMode.CANVAS, **settings)

    assert by_memory.chunk.timings.strategy == "canvas-memory"
    assert by_file.chunk.timings.strategy == "canvas-png"
    assert "not to be found" in by_file.chunk.timings.why
    assert by_memory.chunk.frame_digests == by_file.chunk.frame_digests
    assert len(set(by_file.chunk.frame_digests)) == 4


async def test_an_offscreen_canvas_shows_the_frame_it_is_drawn_in(crew: Crew) -> None:
    film = await crew.film(
        "counter-canvas.html", (3, 6), props_json='{"offscreen": true}', canvas_selector="#film"
    )

    assert film.numbers == [3, 4, 5]


async def test_memory_that_holds_something_else_is_not_believed(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_of = carriers.Place.is_of

    def is_of_another(place: carriers.Place, frame: int, mark: bytearray) -> bool:
        return frame != 4 and is_of(place, frame, mark)

    monkeypatch.setattr(carriers.Place, "is_of", is_of_another)

    film = await crew.film("counter-canvas.html", (3, 6), canvas_selector="#film")

    assert film.numbers == [3, 4, 5]
    assert film.chunk.timings.strategy == "canvas-png"
    assert film.chunk.timings.why == "the page's memory does not hold frame 4 of its canvas"


async def test_a_canvas_that_stands_still_is_read_and_counted_as_a_repeat(crew: Crew) -> None:
    html = "<canvas width=64 height=48></canvas>"

    film = await crew.film_html(html, (0, 4), mode=CaptureMode.CANVAS)

    assert film.chunk.timings.repeated_frames == 3


async def test_what_is_drawn_when_it_has_come_is_in_its_frame(crew: Crew) -> None:
    html = f"""<canvas width=480 height=64></canvas><script>{CANVAS}
      const context = canvas.getContext("2d");
      requestAnimationFrame(function draw(stamp) {{
        const frame = Math.floor((stamp * framefarm.fps) / 1000 + 1e-6);
        const row = Object.assign(document.createElement("canvas"), {{ width: 480, height: 24 }});
        const pen = row.getContext("2d");
        for (let bit = 0; bit < 16; bit++) {{
          pen.fillStyle = (frame >> bit) & 1 ? "#fff" : "#000";
          pen.fillRect(bit * 24, 0, 24, 24);
        }}
        const image = Object.assign(new Image(), {{ src: row.toDataURL() }});
        framefarm.ready(image.decode().then(() => context.drawImage(image, 0, 0)));
        requestAnimationFrame(draw);
      }});
    </script>"""

    film = await crew.film_html(html, (2, 6), mode=CaptureMode.CANVAS)

    assert film.numbers == [2, 3, 4, 5]
