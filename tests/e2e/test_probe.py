"""What a probe finds out about a page, with real Chromium."""

from __future__ import annotations

import pytest
from aiohttp import web

from renderer.composition import PageUrl
from renderer.errors import CompositionError
from renderer.frames import FrameRange
from renderer.history import Between, ProbeResult
from renderer.settings import History
from tests.support.pages import Crew, add_files, add_page, page_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def probe(crew: Crew, page: str, frames: int = 30) -> ProbeResult:
    composition = add_page(crew.store, page)
    return await crew.renderer.probe(
        composition, FrameRange(0, frames), settings=page_settings(), on_event=lambda _: None
    )


async def probe_script(crew: Crew, script: str, frames: int = 30) -> ProbeResult:
    composition = add_files(crew.store, {"index.html": f"<!doctype html><body>{script}"})
    return await crew.renderer.probe(
        composition, FrameRange(0, frames), settings=page_settings(), on_event=lambda _: None
    )


async def test_a_function_of_time_is_seekable(crew: Crew) -> None:
    found = await probe(crew, "seekable.html", 400)

    assert (found.history, found.objection) == (History.SEEKABLE, "")
    assert found.differences == ()
    assert len(found.frames) > 20


async def test_a_page_that_counts_its_frames_is_stateful(crew: Crew) -> None:
    found = await probe(crew, "state.html")

    assert found.history is History.STATEFUL
    assert {each.between for each in found.differences} == {Between.WAYS}
    assert found.objection == "frame 19 depends on the frames before it"


async def test_a_memory_that_begins_late_is_found(crew: Crew) -> None:
    late = """<p></p><script>
      let seen = 0;
      requestAnimationFrame(function loop(ms) {
        if (ms > 9000) document.querySelector("p").textContent = ++seen;
        requestAnimationFrame(loop);
      });
    </script>"""

    found = await probe_script(crew, late, 420)

    assert found.history is History.STATEFUL
    assert [each.frame for each in found.of(Between.WAYS)] == [295, 419]


async def test_an_animation_that_a_timer_begins_is_not_jumped_over(crew: Crew) -> None:
    timer = """<style>p { transition: opacity 0.1s }</style><p>text</p><script>
      setTimeout(() => (document.querySelector("p").style.opacity = 0), 400);
    </script>"""

    found = await probe_script(crew, timer)

    assert found.history is History.STATEFUL
    assert [use.api for use in found.uses] == ["animation begun after frame 0"]


def in_worker(script: str) -> str:
    return f"""<p>0</p><script>
      const worker = new Worker(URL.createObjectURL(new Blob([`{script}`])));
      worker.onmessage = ({{ data }}) => (document.querySelector("p").textContent = data);
    </script>"""


async def test_a_worker_by_the_clock_is_seekable(crew: Crew) -> None:
    clock = "let n = 0; setInterval(() => n++, 10); setInterval(() => postMessage(n), 50)"

    found = await probe_script(crew, in_worker(clock))

    assert (found.history, found.objection) == (History.SEEKABLE, "")
    assert found.suspects == ()


async def test_a_worker_that_counts_its_frames_is_stateful(crew: Crew) -> None:
    count = "let n = 0; requestAnimationFrame(function f() { postMessage(++n); "

    found = await probe_script(crew, in_worker(f"{count} requestAnimationFrame(f) }})"))

    assert found.objection == "frame 19 depends on the frames before it"


@pytest.mark.parametrize(
    ("script", "api"),
    [
        ("new BroadcastChannel('a')", "BroadcastChannel"),
        ("setTimeout(() => fetch('blob:x').catch(() => 0), 40)", "request after frame 0"),
    ],
)
async def test_what_a_probe_cannot_see_through_is_played(crew: Crew, script: str, api: str) -> None:
    found = await probe_script(crew, in_worker(script))

    assert found.history is History.STATEFUL
    assert found.objection == f"the page uses what a probe cannot see through: {api}"


async def test_a_page_that_throws_fails_in_the_probe(crew: Crew) -> None:
    with pytest.raises(CompositionError, match="no such thing"):
        await probe_script(crew, "<script>throw Error('no such thing')</script>")


async def test_an_answer_that_changes_differs_between_sessions(crew: Crew) -> None:
    answers = 0

    async def page(_: web.Request) -> web.Response:
        script = "fetch('count').then((it) => it.text()).then((it) => document.body.append(it))"
        return web.Response(text=f"<body><script>{script}</script>", content_type="text/html")

    async def count(_: web.Request) -> web.Response:
        nonlocal answers
        answers += 1
        return web.Response(text=str(answers))

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/count", count)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        found = await crew.renderer.probe(
            PageUrl(f"http://127.0.0.1:{port}/"),
            FrameRange(0, 12),
            settings=page_settings(),
            on_event=lambda _: None,
        )
    finally:
        await runner.cleanup()

    assert found.objection == "frame 0 is not the same in two sessions"
    assert [each.frame for each in found.of(Between.SESSIONS)] == [0, 3, 7, 11]
    assert [str(use) for use in found.suspects] == [f"request http://127.0.0.1:{port}/count"]


async def test_a_page_that_does_not_bear_a_jump_is_played(crew: Crew) -> None:
    strict = """<script>
      let next = 0;
      framefarm.onFrame((frame) => {
        if (frame !== next++) throw new Error("a frame was left out");
      });
    </script>"""

    found = await probe_script(crew, strict)

    assert found.history is History.STATEFUL
    assert found.objection == "time cannot jump in the page: Error: a frame was left out"
