"""A page in Display P3: its colours in the captured pixels, in files, and in what plays them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

import framefarm
from renderer.drawing import Drawing
from renderer.encode.codec_facts import Codec
from renderer.gamut import ColorGamut
from renderer.keeping import WarmLimits
from tests.support.pages import Crew, open_crew, tools_or_skip

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What is painted, and what that is in Display P3 and in sRGB.
SWATCHES = {
    "color(display-p3 1 0 0)": ((255, 0, 0), (255, 0, 0)),
    "#f00": ((234, 51, 35), (255, 0, 0)),
    "color(display-p3 0 1 0)": ((0, 255, 0), (0, 255, 0)),
    "#808080": ((128, 128, 128), (128, 128, 128)),
}
SIDE_PX = 32
WIDTH_PX = SIDE_PX * len(SWATCHES)
IN_P3 = [wide for wide, _ in SWATCHES.values()]
IN_SRGB = [narrow for _, narrow in SWATCHES.values()]
PAGE = "<style>body { margin: 0 } i { float: left; width: 32px; height: 32px }</style>" + "".join(
    f"<i style='background: {color}'></i>" for color in SWATCHES
)
CANVAS = f"""<canvas width={WIDTH_PX} height=32></canvas><script>
  const context = document.querySelector("canvas").getContext("2d", {{ colorSpace: "display-p3" }});
  {list(SWATCHES)}.forEach((color, at) => {{
    context.fillStyle = color;
    context.fillRect(32 * at, 0, 32, 32);
  }});
</script>"""
SMALL: dict[str, Any] = {"width_px": WIDTH_PX, "height_px": SIDE_PX}
PLAY = """async ([data, count]) => {
  const video = document.createElement("video");
  document.body.append(video);
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const shown = new Promise((done) => video.requestVideoFrameCallback(done));
  video.src = URL.createObjectURL(new Blob([bytes]));
  await shown;
  const colorSpace = "display-p3";
  const canvas = Object.assign(document.createElement("canvas"), { width: 32 * count, height: 32 });
  const context = canvas.getContext("2d", { colorSpace });
  context.drawImage(video, 0, 0);
  const at = (x) => [...context.getImageData(x, 16, 1, 1, { colorSpace }).data].slice(0, 3);
  return Array.from({ length: count }, (_, index) => at(32 * index + 16));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(Drawing))
async def either_crew(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Crew]:
    """A crew with each way of drawing. It keeps a browser between its films."""
    tools = replace(tools_or_skip(), drawing=request.param)
    folder, limits = tmp_path_factory.mktemp("crew"), WarmLimits(browsers=1)
    async with open_crew(folder, tools=tools, limits=limits) as crew:
        yield crew


async def test_a_page_is_captured_in_the_gamut_that_is_asked_for(either_crew: Crew) -> None:
    """Each in a browser of its own: what was filmed in P3 before does not show in sRGB."""
    exact: dict[str, Any] = {"codec": Codec.FFV1, "preset": "", **SMALL}

    wide = await either_crew.film_html(PAGE, (0, 2), color_gamut=ColorGamut.P3, **exact)
    narrow = await either_crew.film_html(PAGE, (0, 2), **exact)
    canvas = await either_crew.film_html(
        CANVAS, (0, 2), color_gamut=ColorGamut.P3, canvas_selector="canvas", **exact
    )

    assert colors_of(wide.path) == IN_P3
    assert colors_of(narrow.path) == IN_SRGB
    assert colors_of(canvas.path) == IN_P3


async def test_frames_are_the_same_wherever_a_chunk_begins(crew: Crew) -> None:
    html = """<style>body { margin: 0; background: #ddd } @keyframes turn { to { rotate: 1turn } }
      i { position: absolute; left: 30px; top: 20px; width: 60px; height: 30px; border-radius: 9px;
          background: color(display-p3 0 1 0); opacity: .7; animation: turn 1s infinite linear }
      i + i { animation-duration: 3s; filter: blur(2px); left: 50px; will-change: transform }
    </style><i></i><i></i>"""
    wide: dict[str, Any] = {"width_px": 160, "height_px": 90, "color_gamut": ColorGamut.P3}

    whole = await crew.film_html(html, (0, 20), **wide)
    late = await crew.film_html(html, (13, 20), **wide)

    assert late.chunk.frame_digests == whole.chunk.frame_digests[13:]
    assert len(set(whole.chunk.frame_digests)) == 20


async def test_files_say_that_they_are_display_p3_and_players_show_it(tmp_path: Path) -> None:
    """One is joined from chunks, and the others, one of them of 10 bits, are encoded at the end."""
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html>{PAGE}")
    wide: dict[str, Any] = {"frames": 2, "chunk_frames": 1, "color_gamut": "p3", **SMALL}
    names = ["out.webm,preset=5", "out.mov,codec=prores4444", "out.mkv,codec=ffv1"]

    await framefarm.render(page, tmp_path / "out.mp4", crf=4, **wide)
    await framefarm.render(page, outputs=[f"{tmp_path}/{name}" for name in names], **wide)

    joined, webm, mov, mkv = (tmp_path / f"out.{kind}" for kind in ("mp4", "webm", "mov", "mkv"))
    tags = {"color_space": "bt709", "color_primaries": "smpte432", "color_transfer": "bt709"}
    assert [tags_of(film) for film in (joined, webm, mov)] == [tags] * 3
    assert tags_of(mkv)["color_primaries"] == "smpte432"
    assert colors_of(mkv) == IN_P3
    for film in (joined, webm, mov):
        assert np.abs(np.subtract(colors_of(film), IN_P3)).max() <= 4
    # Chromium makes 11 of the nearly 0 that 8 bits of YUV have for the blue of a pure green.
    for shown in await played(joined, webm):
        assert np.abs(np.subtract(shown, IN_P3)).max() <= 12


async def test_what_cannot_tell_its_gamut_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE)

    with pytest.raises(framefarm.InvalidRequestError, match="gif files do not tell .* of p3"):
        await framefarm.render(page, tmp_path / "out.gif", frames=2, color_gamut="p3", fps=25)


async def played(*films: Path) -> list[list[tuple[int, int, int]]]:
    """The colours that Chromium shows of each, as Display P3."""
    async with async_playwright() as playwright:
        path = str(tools_or_skip().chromium)
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        try:
            page = await browser.new_page()
            files = [base64.b64encode(film.read_bytes()).decode() for film in films]
            return [await page.evaluate(PLAY, [file, len(SWATCHES)]) for file in files]
        finally:
            await browser.close()


def colors_of(film: Path) -> list[tuple[int, ...]]:
    """The numbers in the middle of each swatch of the last frame, as RGB by BT.709's matrix."""
    size = WIDTH_PX * SIDE_PX * 3
    convert = ["-vf", "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"]
    raw = [*convert, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(film), *raw]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout[-size:]
    picture = np.frombuffer(pixels, np.uint8).reshape(SIDE_PX, WIDTH_PX, 3)
    return [tuple(map(int, picture[16, 32 * at + 16])) for at in range(len(SWATCHES))]


def tags_of(film: Path) -> dict[str, str]:
    what = "stream=color_space,color_primaries,color_transfer"
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", what, "-of"]
    found = subprocess.run([*command, "json", str(film)], check=True, capture_output=True).stdout
    return dict(json.loads(found)["streams"][0])
