"""A page finds what the job says, and nothing of the machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from renderer.composition import PageUrl
from renderer.cookies import Cookie
from renderer.settings import ColorScheme
from tests.support.clips import make_clip
from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOUND = """<script>
  console.log(JSON.stringify({
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    text: new Date(0).toString(),
    now: new Date().toISOString(),
    locale: Intl.NumberFormat().resolvedOptions().locale,
    number: (1234.5).toLocaleString(),
    language: navigator.language,
    languages: navigator.languages,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    ratio: devicePixelRatio,
    size: [innerWidth, innerHeight],
    agent: navigator.userAgent,
    processors: navigator.hardwareConcurrency,
    memory: navigator.deviceMemory,
  }));
</script>"""


async def found(crew: Crew, **settings: Any) -> dict[str, Any]:
    film = await crew.film_html(FOUND, (0, 1), **settings)
    return dict(json.loads(film.console[0]))


async def test_a_page_finds_nothing_of_the_machine(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    page = await found(crew)

    assert page["zone"] == "UTC"
    assert page["text"] == "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"
    assert page["now"] == "2024-01-01T00:00:00.000Z"
    assert (page["locale"], page["number"]) == ("en-US", "1,234.5")
    assert (page["language"], page["languages"]) == ("en-US", ["en-US"])
    assert (page["dark"], page["ratio"], page["size"]) == (False, 1, [480, 270])
    assert (page["processors"], page["memory"]) == (8, 8)


async def test_a_worker_finds_what_its_page_does(crew: Crew) -> None:
    told = """{
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      text: new Date(0).toString(),
      locale: Intl.NumberFormat().resolvedOptions().locale,
      languages: navigator.languages,
      agent: navigator.userAgent,
      processors: navigator.hardwareConcurrency,
      memory: navigator.deviceMemory,
    }"""
    html = f"""<script>
      console.log(JSON.stringify({told}));
      const worker = new Worker(URL.createObjectURL(new Blob([`postMessage({told})`])));
      worker.onmessage = ({{ data }}) => console.log(JSON.stringify(data));
    </script>"""

    film = await crew.film_html(
        html, (0, 1), timezone="Asia/Kathmandu", locale="de-AT", user_agent="Film/1"
    )

    page, worker = map(json.loads, film.console)
    assert page == worker
    assert (page["zone"], page["agent"], page["processors"]) == ("Asia/Katmandu", "Film/1", 8)


async def test_a_document_was_last_changed_at_time_zero(crew: Crew) -> None:
    html = """<script>addEventListener("load", () => console.log(document.lastModified))</script>
      <iframe srcdoc="<script>parent.console.log(document.lastModified)</script>"></iframe>"""

    film = await crew.film_html(html, (0, 1), timezone="Asia/Kathmandu", epoch_ms=86_400_000)

    assert film.console == ["01/02/1970 05:30:00"] * 2


async def test_a_page_finds_what_the_job_says(crew: Crew) -> None:
    page = await found(
        crew,
        timezone="America/New_York",
        locale="de-DE",
        color_scheme=ColorScheme.DARK,
        device_scale_factor=2.0,
        user_agent="Camera/1",
        epoch_ms=1_900_000_000_000,
    )

    assert page["zone"] == "America/New_York"
    assert page["text"].startswith("Wed Dec 31 1969 19:00:00 GMT-0500")
    assert page["now"] == "2030-03-17T17:46:40.000Z"
    assert (page["locale"], page["number"]) == ("de-DE", "1.234,5")
    assert (page["language"], page["languages"]) == ("de-DE", ["de-DE"])
    assert (page["dark"], page["ratio"], page["size"]) == (True, 2, [480, 270])
    assert page["agent"] == "Camera/1"


@pytest.mark.parametrize(
    ("scale", "size"), [(0.5, (200, 32)), (1.25, (500, 80)), (3.0, (1200, 192))]
)
async def test_the_picture_is_the_viewport_times_the_scale(
    crew: Crew, scale: float, size: tuple[int, int]
) -> None:
    html = """<body style="margin:0;background:#000">
      <i style="position:fixed;right:0;bottom:0;width:200px;height:32px;background:#fff"></i>"""

    film = await crew.film_html(
        html, (0, 2), width_px=400, height_px=64, device_scale_factor=scale, **LOSSLESS
    )

    assert (film.chunk.width_px, film.chunk.height_px) == size
    for luma, _, _ in film.planes:
        assert luma[: size[1] // 2].max() == luma[:, : size[0] // 2].max() == 16
        assert luma[size[1] // 2 :, size[0] // 2 :].min() == 235


async def test_an_element_is_cut_out_of_the_scaled_picture(crew: Crew) -> None:
    html = """<body style="margin:0;background:#000">
      <i id=box style="position:fixed;left:41px;top:11px;width:60px;height:20px;background:#fff">
      </i>"""

    film = await crew.film_html(
        html, (0, 1), device_scale_factor=2.0, target_selector="#box", **LOSSLESS
    )

    assert (film.chunk.width_px, film.chunk.height_px) == (120, 40)
    assert film.planes[0][0].min() == 235


async def test_headers_go_with_every_request(crew: Crew) -> None:
    async def echo(request: web.Request) -> web.Response:
        names = ("X-Camera", "Accept-Language")
        heard = json.dumps([request.path, *(request.headers.get(name) for name in names)])
        script = f"console.log(JSON.stringify({heard}))"
        texts = {
            "/page": f"""<body><script>{script}</script><script src=more></script><script>
              new Worker("worker").onmessage = ({{ data }}) => console.log(data)</script>""",
            "/more": script,
            "/worker": f"""postMessage(JSON.stringify({heard}));
              fetch("data").then((answer) => answer.text()).then(postMessage)""",
            "/data": heard,
        }
        kind = "text/html" if request.path == "/page" else "text/javascript"
        return web.Response(text=texts[request.path], content_type=kind)

    app = web.Application()
    app.router.add_get("/{path:.*}", echo)
    async with TestServer(app) as server:
        film = await crew.film(
            PageUrl(str(server.make_url("/page"))),
            (0, 1),
            headers=(("X-Camera", "one, two"),),
            locale="fr-CA",
        )

    heard = [json.loads(line) for line in film.console if line.startswith("[")]
    paths = ("/page", "/more", "/worker", "/data")
    assert heard == [[path, "one, two", "fr-CA"] for path in paths]


async def test_cookies_are_there_before_the_first_request_and_for_whom_they_are(crew: Crew) -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = json.dumps([request.path, dict(request.cookies)])
        script = f"<script>console.log(JSON.stringify({heard}), document.cookie)</script>"
        inner = "<iframe src=/app/inner></iframe>" if request.path == "/" else ""
        return web.Response(text=f"<body>{script}{inner}", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", echo)
    async with TestServer(app) as server:
        film = await crew.film(
            PageUrl(str(server.make_url("/"))),
            (0, 1),
            cookies=(
                Cookie(name="own", value="a=b"),
                Cookie(name="shy", value="1", http_only=True, same_site="strict"),
                Cookie(name="deep", value="2", path="/app"),
                Cookie(name="other", value="3", domain="x.example"),
            ),
        )

    assert film.console == [
        '["/",{"own":"a=b","shy":"1"}] own=a=b',
        '["/app/inner",{"deep":"2","own":"a=b","shy":"1"}] deep=2; own=a=b',
    ]


async def test_a_bundle_has_its_cookies_and_another_page_has_none(crew: Crew) -> None:
    html = "<script>console.log(`[${document.cookie}]`)</script>"

    cookies = (Cookie(name="id", value="1"), Cookie(name="safe", value="2", secure=True))
    first = await crew.film_html(html, (0, 1), cookies=cookies)
    second = await crew.film_html(html, (0, 1))

    assert (first.console, second.console) == (["[id=1; safe=2]"], ["[]"])


async def test_media_are_asked_for_as_the_page_asks(crew: Crew, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 9).read_bytes()
    asked = dict[str, tuple[str | None, ...]]()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/page":
            video = "<!doctype html><video src=/clip.mp4 autoplay muted></video>"
            return web.Response(text=video, content_type="text/html")
        names = ("X-Camera", "User-Agent", "Cookie")
        asked[request.path] = tuple(request.headers.get(name) for name in names)
        return web.Response(body=clip, content_type="video/mp4")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        film = await crew.film(
            PageUrl(str(server.make_url("/page"))),
            (0, 2),
            headers=(("X-Camera", "one"),),
            user_agent="Camera/1",
            cookies=(
                Cookie(name="own", value='{"a": "b"}'),
                Cookie(name="host", value="1", domain="127.0.0.1"),
                Cookie(name="deep", value="2", path="/app"),
                Cookie(name="other", value="3", domain="x.example"),
            ),
        )

    assert film.chunk.warnings == ()
    camera, agent, cookies = asked["/clip.mp4"]
    assert (camera, agent) == ("one", "Camera/1")
    assert sorted((cookies or "").split("; ")) == ["host=1", 'own={"a": "b"}']
