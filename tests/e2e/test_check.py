"""`framefarm check` with real Chromium: clean pages, pages that remember, pages that differ."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from tests.support.command_line import framefarm
from tests.support.pages import PAGES, tools_or_skip

SMALL = ["--width", "320", "--height", "180"]
ASK = """fetch('now').then((it) => it.text()).then((it) => document.body.append(it));
  document.title = performance.timing.responseStart"""


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


@pytest.fixture
async def site_with_a_clock() -> AsyncGenerator[str]:
    """A page on loopback that shows what time its server says it is."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<body><script>{ASK}</script>", content_type="text/html")

    async def now(_: web.Request) -> web.Response:
        return web.Response(text=str(time.time_ns()))

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/now", now)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_a_clean_page_passes_in_seconds() -> None:
    began_s = time.monotonic()

    ended = await framefarm("check", str(PAGES / "seekable.html"), *SMALL, "--json")

    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["clean"], told["history"], told["differences"]) == (True, "seekable", [])
    assert time.monotonic() - began_s < 90


async def test_a_page_that_remembers_is_told_with_pictures(tmp_path: Path) -> None:
    request = ["check", str(PAGES / "state.html"), *SMALL, "--frames", "30"]

    ended = await framefarm(*request, "--pictures", str(tmp_path / "new" / "pictures"))

    assert ended.code == 1
    picture = tmp_path / "new" / "pictures" / "ways-000019.png"
    assert "frame 19 depends on the frames before it: chunks of it are played from frame 0 " in (
        ended.out
    )
    assert str(picture) in ended.out
    with Image.open(picture) as image:
        assert image.size == (960, 180)
        differing = image.crop((640, 0, 960, 180)).getcolors()
    assert {color for _, color in differing or ()} == {(0, 0, 0), (255, 255, 255)}


async def test_what_the_user_says_of_a_page_is_no_fault() -> None:
    request = ["check", str(PAGES / "state.html"), *SMALL, "--frames", "30"]

    ended = await framefarm(*request, "--stateful")

    assert ended.code == 0, ended.err


async def test_what_tells_a_page_the_wall_clock_is_named(site_with_a_clock: str) -> None:
    ended = await framefarm("check", site_with_a_clock, *SMALL, "--frames", "12", "--json")

    assert ended.code == 1
    told = json.loads(ended.out)
    assert told["objection"] == "frame 0 is not the same in two sessions"
    assert {each["frame"] for each in told["differences"]} == {0, 3, 7, 11}
    assert told["uses"] == [
        {"api": "request", "detail": f"{site_with_a_clock}now", "count": 1},
        {"api": "performance.timing", "detail": "", "count": 1},
    ]


async def test_a_page_that_throws_is_told_in_its_own_words(tmp_path: Path) -> None:
    tmp_path.joinpath("index.html").write_text("<script>throw Error('no such thing')</script>")

    ended = await framefarm("check", str(tmp_path), *SMALL)

    assert ended.code == 1
    assert ended.err.splitlines()[0] == "Error: no such thing"
    assert "Traceback" not in ended.err
