"""What stands behind a page: nothing, so that pictures have alpha, or a colour."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from renderer.encode.codec_facts import Codec
from renderer.encode.codecs import CODECS
from renderer.errors import InvalidRequestError
from renderer.keeping import View
from renderer.picture import Picture
from renderer.settings import CaptureMode, RenderSettings
from tests.support.pages import LOSSLESS, Crew, add_files, page_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALVES = """<style>body { margin: 0 }
  i { position: absolute; width: 10px; height: 20px; left: 10px; background: rgb(255 0 0 / 50.2%) }
  b { position: absolute; width: 10px; height: 20px; left: 20px; background: #00f }
</style><i></i><b></b>"""
CANVAS = """<canvas width=30 height=20></canvas><script>
  const paint = document.querySelector("canvas").getContext("2d");
  paint.fillStyle = "rgb(255 0 0 / 50.2%)"; paint.fillRect(10, 0, 10, 20);
  paint.fillStyle = "#00f"; paint.fillRect(20, 0, 10, 20);
</script>"""
SIZE: dict[str, Any] = {"width_px": 30, "height_px": 20}
KEEPS_ALPHA: dict[str, Any] = {"transparent": True, "codec": Codec.FFV1, "preset": ""}


async def captured(crew: Crew, html: str, settings: RenderSettings) -> list[Picture]:
    page = add_files(crew.store, {"index.html": f"<!doctype html><body>{html}"})
    url = await crew.renderer._studio.site.url(page)
    view = View(url=url, settings=settings)
    async with crew.renderer._studio.stage(view, lambda _: None) as (_, capture):
        return [(await capture.capture(frame)).kept() for frame in range(3)]


def pixels(picture: Picture) -> list[tuple[int, ...]]:
    """One pixel of each third, as red, green, blue and alpha."""
    assert picture.size_px == (30, 20)
    starts = ((10 * 30 + x) * 4 for x in (5, 15, 25))
    places = [tuple(picture.pixels[start : start + 4]) for start in starts]
    return [(red, green, blue, alpha) for blue, green, red, alpha in places]


@pytest.mark.parametrize(
    ("html", "mode"), [(HALVES, CaptureMode.DOM), (CANVAS, CaptureMode.CANVAS)]
)
async def test_a_transparent_pages_pictures_have_its_alpha(
    crew: Crew, html: str, mode: CaptureMode
) -> None:
    settings = page_settings(**SIZE, **KEEPS_ALPHA, mode=mode)

    for picture in await captured(crew, html, settings):
        assert pixels(picture) == [(0, 0, 0, 0), (255, 0, 0, 128), (0, 0, 255, 255)]


@pytest.mark.parametrize(
    ("html", "mode"), [(HALVES, CaptureMode.DOM), (CANVAS, CaptureMode.CANVAS)]
)
async def test_a_colour_behind_a_page_shows_through(
    crew: Crew, html: str, mode: CaptureMode
) -> None:
    settings = page_settings(**SIZE, mode=mode, background="#0f0", transparent=True)

    for picture in await captured(crew, html, settings):
        open_, half, blue = pixels(picture)
        assert (open_, blue) == ((0, 255, 0, 255), (0, 0, 255, 255))
        assert half[3] == 255
        assert all(abs(got - wanted) <= 1 for got, wanted in zip(half, (128, 127, 0), strict=False))


@pytest.mark.parametrize(
    ("codec", "decoder", "tolerance"),
    [(Codec.FFV1, "ffv1", 0), (Codec.VP9, "libvpx-vp9", 12), (Codec.PRORES_4444, "prores", 6)],
)
async def test_a_video_has_the_alpha_of_its_page(
    crew: Crew, codec: Codec, decoder: str, tolerance: int
) -> None:
    film = await crew.film_html(HALVES, (0, 2), **SIZE, **KEEPS_ALPHA | {"codec": codec})

    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-c:v", decoder, "-i", str(film.path), "-f", "rawvideo",
         "-pix_fmt", "rgba", "pipe:1"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    assert len(raw) == 2 * 30 * 20 * 4
    for start in ((10 * 30 + x) * 4 for x in (5, 15, 25)):
        wanted = {5: 0, 15: 128, 25: 255}[start // 4 % 30]
        assert abs(raw[start + 3] - wanted) <= tolerance
    half = (10 * 30 + 15) * 4
    assert raw[half] >= 255 - 3 * tolerance


async def test_a_colour_behind_a_page_is_in_the_video(crew: Crew) -> None:
    film = await crew.film_html("", (0, 2), background="#000000", **LOSSLESS)

    assert all((luma == 16).all() for luma, _, _ in film.planes)


async def test_a_codec_without_alpha_refuses_transparency_and_says_what_to_do() -> None:
    with pytest.raises(InvalidRequestError, match="give a background colour") as caught:
        page_settings(transparent=True)

    assert [violation.field for violation in caught.value.violations] == ["transparent"]
    with_alpha = [codec for codec, facts in CODECS.items() if facts.has_alpha]
    assert with_alpha
    assert all(codec.value in str(caught.value) for codec in with_alpha)
