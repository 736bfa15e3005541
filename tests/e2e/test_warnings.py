"""What is missing is said by name and does not end a render, unless it is strict."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.errors import CompositionError, Fault
from tests.support.clips import make_clip
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")


FONT = """<style>@font-face { font-family: A; src: url(NAME.ttf) }</style>
    <p style="font: 1em A">a"""
SHADOW = """<p></p><script>document.querySelector("p").attachShadow({ mode: "MODE" }).innerHTML =
    "<img src=broken.png>"</script>"""


@pytest.mark.parametrize(
    ("html", "warning"),
    [
        ("<img src=no.png>", "image /no.png: status 404"),
        ("<img src=broken.png>", "image /broken.png: it cannot be read"),
        ("<style>body { background: url(no.png) }</style>", "image /no.png: status 404"),
        ("<link rel=stylesheet href=no.css>", "stylesheet /no.css: status 404"),
        ("<style>@import url(no.css)</style>", "stylesheet /no.css: status 404"),
        ("<video src=no.mp4 autoplay></video>", "media /no.mp4: it is not in the bundle"),
        ("<video><source src=no.mp4></video>", "media /no.mp4: it is not in the bundle"),
        ("<audio src=no.mp3></audio>", "media /no.mp3: it is not in the bundle"),
        ("<script>new Audio('no.mp3')</script>", "media /no.mp3: it is not in the bundle"),
        ("<script src=no.js></script>", "script /no.js: status 404"),
        ("<iframe src=no.html></iframe>", "frame /no.html: status 404"),
        (FONT.replace("NAME", "no"), "font /no.ttf: status 404"),
        (FONT.replace("NAME", "broken"), "font /broken.ttf: it cannot be read"),
        ("<iframe srcdoc='<img src=broken.png>'></iframe>", "image /broken.png: it cannot be read"),
        (SHADOW.replace("MODE", "open"), "image /broken.png: it cannot be read"),
        (SHADOW.replace("MODE", "closed"), "image /broken.png: it cannot be read"),
        (SHADOW.replace("MODE", "closed").replace("broken", "no"), "image /no.png: status 404"),
        ("<img src='http://127.0.0.1:1/x.png'>", "image http://127.0.0.1:1/x.png: ERR_UNSAFE_PORT"),
    ],
)
async def test_what_is_missing_is_named(crew: Crew, html: str, warning: str) -> None:
    files = {"index.html": f"<!doctype html>{html}", "broken.png": "?", "broken.ttf": "?"}

    film = await crew.film_files(files, (0, 2))

    assert film.chunk.warnings == (warning,)


@pytest.mark.parametrize(
    "html",
    [
        "<video src=broken.mp4 autoplay></video>",
        "<audio src=broken.mp4></audio>",
        "<video><source src=broken.mp4><source src=no.mp4></video>",
        "<script>setTimeout(() => new Audio('broken.mp4').play().catch(() => {}), 40)</script>",
    ],
)
async def test_media_that_cannot_be_read_are_named_with_the_reason(crew: Crew, html: str) -> None:
    files = {"index.html": f"<!doctype html><body>{html}", "broken.mp4": "no film"}

    film = await crew.film_files(files, (0, 4))

    (warning,) = film.chunk.warnings
    assert warning.startswith("media /broken.mp4: it cannot be read: ")
    assert "Invalid data" in warning


@pytest.mark.parametrize("source", ["no.mp4", "broken.mp4"])
@pytest.mark.parametrize("when", ["act()", "setTimeout(act, 40)"])
async def test_a_strict_render_ends_with_media_that_do_not_come(
    crew: Crew, source: str, when: str
) -> None:
    html = f"""<body><script>
      const act = () => document.body.append(
        Object.assign(document.createElement("video"), {{ src: "{source}" }}));
      {when}</script>"""

    with pytest.raises(CompositionError, match=f"^media /{source}: it ") as caught:
        await crew.film_files({"index.html": html, "broken.mp4": "no film"}, (0, 3), strict=True)

    assert caught.value.fault is Fault.MISSING_RESOURCE


async def test_a_video_that_is_cut_off_is_a_warning(crew: Crew, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "c.mp4", 30, "-movflags", "+faststart", "-g", "5").read_bytes()
    html = "<!doctype html><video src=cut.mp4 autoplay muted></video>"
    cut_off = clip[: len(clip) * 7 // 10]
    files: dict[str, str | bytes] = {"index.html": html, "cut.mp4": cut_off}

    whole = await crew.film_files(files, (0, 5))
    cut = await crew.film_files(files, (24, 30))
    with pytest.raises(CompositionError, match="cut.mp4: some of its pictures cannot be decoded"):
        await crew.film_files(files, (24, 30), strict=True)

    assert whole.chunk.warnings == ()
    assert cut.chunk.warnings == ("media /cut.mp4: some of its pictures cannot be decoded",)
    assert len(set(cut.chunk.frame_digests[-3:])) == 1


async def test_it_is_named_once_though_it_is_missed_in_a_frame_and_often(crew: Crew) -> None:
    html = """<script>requestAnimationFrame(function draw() {
        document.body.append(Object.assign(new Image(), { src: "no.png" }));
        requestAnimationFrame(draw) })</script>"""

    film = await crew.film_html(html, (0, 4))

    assert film.chunk.warnings == ("image /no.png: status 404",)


async def test_a_whole_page_has_no_warnings(crew: Crew) -> None:
    html = """<link rel=icon href=no.ico><img src="data:image/svg+xml,
        <svg xmlns='http://www.w3.org/2000/svg'/>"><script>
      fetch("no.json").then((response) => console.log(response.status));
      const given = new AbortController();
      fetch("no.json", { signal: given.signal }).catch(() => {}); given.abort();</script>"""

    film = await crew.film_html(html, (0, 2))

    assert film.chunk.warnings == ()


@pytest.mark.parametrize("when", ["act()", "setTimeout(act, 40)"])
@pytest.mark.parametrize("name", ["no.png", "broken.png"])
async def test_a_strict_render_ends_with_it(crew: Crew, when: str, name: str) -> None:
    html = f"""<body><script>
      const act = () => document.body.append(Object.assign(new Image(), {{ src: "{name}" }}));
      {when}</script>"""

    with pytest.raises(CompositionError, match=f"^image /{name}: ") as caught:
        await crew.film_files({"index.html": html, "broken.png": "?"}, (0, 3), strict=True)

    assert caught.value.fault is Fault.MISSING_RESOURCE


MOVING_SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">
    <rect width="9" height="9"><animate attributeName="x" from="0" to="9" dur="1s"/></rect></svg>"""
STILL_SVG = MOVING_SVG.replace("<animate ", "<desc ")


async def test_a_moving_svg_file_as_an_image_is_named_once(crew: Crew) -> None:
    html = """<!doctype html><img src=moving.svg><img src=still.svg>
        <p style="background: url(moving.svg)">a</p><object data=document.svg></object>"""
    files = {
        "index.html": html,
        "moving.svg": MOVING_SVG,
        "document.svg": MOVING_SVG,
        "still.svg": STILL_SVG,
    }

    film = await crew.film_files(files, (0, 2))

    why = "it moves, which as an image is not exact; show it by <object>, <embed> or <iframe>"
    assert film.chunk.warnings == (f"image /moving.svg: {why}",)


async def test_a_strict_render_has_no_moving_svg_file_as_an_image(crew: Crew) -> None:
    files = {"index.html": "<!doctype html><img src=moving.svg>", "moving.svg": MOVING_SVG}

    with pytest.raises(CompositionError, match="moving.svg: it moves") as failed:
        await crew.film_files(files, (0, 2), strict=True)

    assert failed.value.fault is Fault.MISSING_RESOURCE
