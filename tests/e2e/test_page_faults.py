"""What is wrong with a page is said at once, in its own words, and leaves no file."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from renderer.composition import BundleEntry, PageUrl
from renderer.errors import (
    BundleMissingError,
    CompositionError,
    Fault,
    FrameStalledError,
    InvalidRequestError,
)
from renderer.events import FramesDone
from renderer.settings import CaptureMode
from tests.support.pages import Crew, add_files

pytestmark = pytest.mark.asyncio(loop_scope="module")


def files_in(crew: Crew) -> list[str]:
    return sorted(path.name for path in crew.folder.iterdir())


async def failure(
    crew: Crew, html: str, frames: tuple[int, int] = (0, 9), **settings: object
) -> CompositionError:
    """How the page fails; no file is left of it."""
    before = files_in(crew)
    with pytest.raises(CompositionError) as caught:
        await crew.film_html(html, frames, **settings)
    assert files_in(crew) == before
    return caught.value


async def test_an_error_in_a_frame_is_told_with_its_stack(crew: Crew) -> None:
    before = files_in(crew)

    with pytest.raises(CompositionError, match="^Error: the page gave up at frame 45$") as caught:
        await crew.film("counter.html", (0, 90), props_json='{"throw": 45}')

    assert caught.value.fault is Fault.PAGE_ERROR
    assert "counter.html:" in caught.value.detail
    assert len(crew.events) == 45  # frames 0…44, and not one after
    assert files_in(crew) == before


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("throw new TypeError('no good')", "TypeError: no good"),
        ("throw 'just a text'", "just a text"),
        ("Promise.reject(new Error('nobody listens'))", "Error: nobody listens"),
        ("setTimeout(() => nothing.at.all, 40)", "ReferenceError: nothing is not defined"),
        ("framefarm.ready(Promise.reject(new Error('no data')))", "Error: no data"),
        ("framefarm.onFrame((f) => { if (f === 2) throw new Error('hook') })", "Error: hook"),
        ("framefarm.waitUntilStable = () => { throw new Error('unstable') }", "Error: unstable"),
    ],
)
async def test_any_uncaught_error_fails_the_chunk(crew: Crew, script: str, message: str) -> None:
    error = await failure(crew, f"<script>{script}</script>")

    assert error.fault is Fault.PAGE_ERROR
    assert str(error) == message


async def test_an_error_in_a_frame_of_the_page_counts(crew: Crew) -> None:
    error = await failure(
        crew, """<iframe srcdoc="<script>throw new Error('within')</script>"></iframe>"""
    )

    assert str(error) == "Error: within"


@pytest.mark.parametrize(
    "script",
    [
        "setTimeout(() => { throw new Error('within') }, 50)",
        "setTimeout(() => Promise.reject(new Error('within')), 50)",
        "requestAnimationFrame(() => requestAnimationFrame(() => { throw new Error('within') }))",
    ],
)
async def test_an_error_of_a_frame_within_counts_while_it_is_filmed(
    crew: Crew, script: str
) -> None:
    error = await failure(crew, f"""<iframe srcdoc="<script>{script}</script>"></iframe>""")

    assert str(error) == "Error: within"
    assert any(isinstance(event, FramesDone) for event in crew.events)


async def test_a_page_that_leaves_is_at_fault(crew: Crew) -> None:
    error = await failure(
        crew, "<script>setTimeout(() => { location.href = '/?elsewhere' }, 50)</script>"
    )

    assert error.fault is Fault.PAGE_ERROR
    assert "/?elsewhere" in str(error)


async def test_a_page_that_is_never_ready_is_told_by_what_it_waits_for(crew: Crew) -> None:
    html = "<script>framefarm.ready(new Promise(() => {}), 'the weather')</script>"

    error = await failure(crew, html, stability_timeout_s=1.5)

    assert error.fault is Fault.PAGE_NOT_STABLE
    assert "1.5 s" in str(error)
    assert "ready(the weather)" in str(error)


async def test_a_script_that_does_not_end_is_not_waited_for(crew: Crew) -> None:
    error = await failure(crew, "<script>for (;;);</script>", stability_timeout_s=1.0)

    assert error.fault is Fault.PAGE_NOT_STABLE


async def test_a_frame_that_does_not_end_is_stalled(crew: Crew) -> None:
    with pytest.raises(FrameStalledError, match="within 3 s"):
        await crew.film("counter.html", (0, 9), props_json='{"hang": 4}')


async def test_a_hook_that_waits_for_time_is_named(crew: Crew) -> None:
    html = """<script>
      framefarm.onFrame(async function slowly() {
        await new Promise((resolve) => setTimeout(resolve, 10));
      });
    </script>"""

    error = await failure(crew, html)

    assert error.fault is Fault.PAGE_NOT_STABLE
    assert "'onFrame slowly'" in str(error)
    assert "frame 0" in str(error)


async def test_a_missing_bundle_is_named(crew: Crew) -> None:
    absent = BundleEntry("ab" * 32)

    with pytest.raises(BundleMissingError) as caught:
        await crew.film(absent)

    assert caught.value.digest == absent.digest


async def test_no_frames_are_no_chunk(crew: Crew) -> None:
    with pytest.raises(InvalidRequestError, match="frames"):
        await crew.film("counter.html", (4, 4))


async def test_a_page_that_is_not_in_its_bundle_is_not_found(crew: Crew) -> None:
    page = add_files(crew.store, {"index.html": "<p>"})

    with pytest.raises(CompositionError, match="other.html answers with status 404") as caught:
        await crew.film(BundleEntry(page.digest, "other.html"))

    assert caught.value.fault is Fault.PAGE_NOT_FOUND


@asynccontextmanager
async def web_server(
    status: int, text: str, content_type: str = "text/html"
) -> AsyncGenerator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("text", ["", "<h1>Nothing here</h1>"])
@pytest.mark.parametrize("status", [404, 500])
async def test_a_bad_status_is_told_with_the_url(crew: Crew, status: int, text: str) -> None:
    async with web_server(status, text) as url:
        with pytest.raises(CompositionError, match=f"{url}/page answers with status {status}"):
            await crew.film(PageUrl(f"{url}/page"))


async def test_a_page_at_a_url_is_filmed_where_it_is(crew: Crew) -> None:
    async with web_server(200, "<body style='background: teal'>") as url:
        film = await crew.film(PageUrl(url))

    assert film.chunk.frames == 3


async def test_a_host_that_does_not_answer_is_unreachable(crew: Crew) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(CompositionError, match="ERR_CONNECTION_REFUSED") as caught:
            await crew.film(PageUrl(url))

    assert caught.value.fault is Fault.PAGE_UNREACHABLE


CANVAS = "counter-canvas.html"


@pytest.mark.parametrize(
    ("props", "settings", "fault", "message"),
    [
        ("{}", {"canvas_selector": "#other"}, Fault.CANVAS_NOT_FOUND, "'#other'"),
        ("{}", {"canvas_selector": "body"}, Fault.CANVAS_NOT_FOUND, "it is a <body>"),
        ("{}", {"canvas_selector": "!"}, Fault.CANVAS_NOT_FOUND, "not a valid selector"),
        ('{"absent": 1}', {"mode": CaptureMode.CANVAS}, Fault.CANVAS_NOT_FOUND, "'canvas'"),
        ('{"width": 401}', {"mode": CaptureMode.CANVAS}, Fault.PICTURE_SIZE, "401x270"),
        ('{"width": 0}', {"mode": CaptureMode.CANVAS}, Fault.PICTURE_SIZE, "0x270"),
        (
            '{"resize": 2}',
            {"mode": CaptureMode.CANVAS},
            Fault.PICTURE_SIZE,
            "482x270 px in frame 2",
        ),
    ],
)
async def test_a_canvas_that_cannot_be_filmed_is_told(
    crew: Crew, props: str, settings: dict[str, object], fault: Fault, message: str
) -> None:
    with pytest.raises(CompositionError) as caught:
        await crew.film(CANVAS, (0, 5), props_json=props, **settings)

    assert caught.value.fault is fault
    assert message in str(caught.value)


async def test_a_canvas_with_a_foreign_picture_is_unreadable(crew: Crew) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    async with web_server(200, picture, "image/svg+xml") as url:
        html = f"""<canvas width=64 height=64></canvas><img src="{url}/p.svg" width=9><script>
          onload = () => document.querySelector("canvas").getContext("2d")
            .drawImage(document.querySelector("img"), 0, 0);
        </script>"""
        error = await failure(crew, html, mode=CaptureMode.CANVAS)

    assert error.fault is Fault.CANVAS_UNREADABLE
    assert "another origin" in str(error)


BOX = "<style>body{margin:0}#box{position:absolute;width:80px;height:60px"


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("<p>", "no element"),
        (f"{BOX};left:440px}}</style><div id=box></div>", "440…520"),
        (f"{BOX};display:none}}</style><div id=box></div>", "no box"),
    ],
)
async def test_a_target_that_cannot_be_filmed_is_told(crew: Crew, html: str, message: str) -> None:
    error = await failure(crew, html, target_selector="#box")

    assert error.fault is Fault.TARGET_NOT_FOUND
    assert message in str(error)
