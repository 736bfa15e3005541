"""Pages and browsers that are kept: what they show is what fresh ones show, and they go in time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from coordinator.job import JobSpec
from coordinator.orchestrator import RenderOrchestrator
from executors.local import LocalExecutor
from renderer.composition import Composition, PageUrl
from renderer.errors import CompositionError
from renderer.events import FramesDone, PageLog, RenderEvent
from renderer.frames import FrameRange
from renderer.renderer import RenderedChunk
from renderer.settings import CaptureMode, History
from tests.support.eventually import eventually
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import PAGES, Crew, add_files, add_page, page_settings
from tests.support.processes import browsers

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUCCESSIVE = [(0, 10), (10, 20), (30, 40)]


@dataclass
class Site:
    """The pages of tests/e2e/pages on loopback, and how often each was asked for."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    def page(self, name: str) -> PageUrl:
        return PageUrl(f"http://127.0.0.1:{self.port}/{name}")

    async def answer(self, request: web.Request) -> web.FileResponse:
        self.asked.append(request.match_info["name"])
        return web.FileResponse(PAGES / request.match_info["name"])


@asynccontextmanager
async def a_site() -> AsyncGenerator[Site]:
    site = Site()
    application = web.Application()
    application.router.add_get("/{name}", site.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.port = runner.addresses[0][1]
        yield site
    finally:
        await runner.cleanup()


async def a_chunk(
    crew: Crew,
    page: str | Composition,
    frames: tuple[int, int],
    series: str,
    *,
    has_successor: bool = True,
    paints_all: bool = False,
    events: list[RenderEvent] | None = None,
    **settings: Any,
) -> RenderedChunk:
    composition = add_page(crew.store, page) if isinstance(page, str) else page
    return await crew.renderer.render(
        composition,
        FrameRange(*frames),
        settings=page_settings(**settings),
        output=crew.folder / "chunk.mp4",
        on_event=(events if events is not None else []).append,
        has_successor=has_successor,
        paints_all=paints_all,
        series=series,
    )


def _pictures(chunk: RenderedChunk) -> tuple[str, ...]:
    return (*chunk.frame_digests, chunk.next_frame_digest)


@pytest.mark.parametrize(
    ("page", "settings"),
    [
        ("counter-css.html", {"history": History.SEEKABLE}),
        ("counter-canvas.html", {"mode": CaptureMode.CANVAS}),
        ("state.html", {}),
        ("worker.html", {}),
    ],
)
async def test_a_kept_page_shows_what_a_fresh_one_shows(
    crew: Crew, cold: Crew, page: str, settings: dict[str, Any]
) -> None:
    fresh = [await a_chunk(cold, page, frames, "job", **settings) for frames in SUCCESSIVE]

    kept = [await a_chunk(crew, page, frames, "job", **settings) for frames in SUCCESSIVE]

    assert len(set(fresh[0].frame_digests)) == 10
    assert [_pictures(chunk) for chunk in kept] == [_pictures(chunk) for chunk in fresh]


async def test_a_page_is_loaded_once_for_the_chunks_of_a_job_and_its_browser_serves_the_next(
    crew: Crew, tmp_path: Path
) -> None:
    orchestrator = RenderOrchestrator(crew.store, LocalExecutor(crew.renderer))
    async with a_site() as site:
        spec = JobSpec(
            composition=site.page("counter.html"),
            settings=page_settings(),
            frames=FrameRange(0, 40),
            chunk_frames=8,
        )
        serving = []
        for job in ("one", "two"):
            plan = orchestrator.plan(spec, job_id=job)
            await orchestrator.render(plan, tmp_path / "out.mp4", on_event=lambda _: None)
            serving += [browser.pid for browser in browsers()]

        assert site.asked.count("counter.html") == 2
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(40))
    assert len(serving) == 2
    assert len(set(serving)) == 1


async def test_a_page_that_has_gone_by_and_one_that_is_painted_whole_are_loaded_anew(
    crew: Crew,
) -> None:
    async with a_site() as site:
        page = site.page("counter.html")
        await a_chunk(crew, page, (10, 14), "back")
        await a_chunk(crew, page, (14, 18), "back")
        once = site.asked.count("counter.html")
        await a_chunk(crew, page, (0, 4), "back")
        back = site.asked.count("counter.html")
        await a_chunk(crew, page, (4, 8), "back", paints_all=True)
        painted = site.asked.count("counter.html")
        await a_chunk(crew, page, (8, 12), "back", has_successor=False)
        after = site.asked.count("counter.html")

    assert [once, back, painted, after] == [1, 2, 3, 4]
    assert crew.renderer.warm_pages == ()  # nothing follows the last chunk
    assert len(browsers()) == 1


async def test_each_chunk_hears_its_own_frames_and_tells_all_that_was_missing(crew: Crew) -> None:
    script = "framefarm.onFrame((frame) => console.log(`frame ${frame}`))"
    html = f"<!doctype html><body><img src=no.png><script>{script}</script>"
    page = add_files(crew.store, {"index.html": html})
    heard: list[list[RenderEvent]] = [[], [], []]

    chunks = [
        await a_chunk(crew, page, frames, "told", events=events)
        for frames, events in zip([(0, 3), (3, 5), (8, 10)], heard, strict=True)
    ]

    lines = [[event.text for event in each if isinstance(event, PageLog)] for each in heard]
    said = [[line for line in each if line.startswith("frame ")] for each in lines]
    assert said == [
        ["frame 0", "frame 1", "frame 2", "frame 3"],
        ["frame 4", "frame 5"],
        ["frame 6", "frame 7", "frame 8", "frame 9", "frame 10"],
    ]
    assert [chunk.warnings for chunk in chunks] == [("image /no.png: status 404",)] * 3


async def test_a_page_that_has_failed_is_never_used_again(crew: Crew) -> None:
    props: dict[str, Any] = {"props_json": '{"throw": 6}'}
    await a_chunk(crew, "counter.html", (0, 4), "failing", **props)
    (before,) = browsers()

    with pytest.raises(CompositionError, match="gave up at frame 6"):
        await a_chunk(crew, "counter.html", (4, 8), "failing", **props)

    assert not before.is_running()
    assert browsers() == []
    with pytest.raises(CompositionError, match="gave up at frame 6"):
        await a_chunk(crew, "counter.html", (7, 8), "failing", **props)


async def test_a_chunk_that_is_cancelled_takes_its_browser_with_it(crew: Crew) -> None:
    await a_chunk(crew, "state.html", (0, 3), "cancelled")
    (before,) = browsers()
    events: list[RenderEvent] = []
    rendering = a_chunk(crew, "state.html", (3, 100_000), "cancelled", events=events)
    task = asyncio.create_task(rendering)
    await eventually(lambda: FramesDone(3) in events)

    task.cancel()
    await asyncio.wait([task])

    assert not before.is_running()
    assert browsers() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_browser_that_was_lost_while_it_was_idle_is_not_missed(
    crew: Crew, number: signal.Signals
) -> None:
    first = await a_chunk(crew, "state.html", (0, 3), "idle")
    (before,) = browsers()

    before.send_signal(number)
    second = await a_chunk(crew, "state.html", (3, 6), "idle")

    assert second.frame_digests[0] == first.next_frame_digest
    assert not before.is_running()
    assert len(browsers()) == 1
