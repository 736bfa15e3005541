"""Chunks of real pages, where they meet."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from aiohttp import web

from coordinator.job import ChunkMoved, ChunkState, Event, JobSpec
from coordinator.orchestrator import RenderOrchestrator
from coordinator.planner import Plan
from coordinator.seams import SeamMismatchError
from executors.local import LocalExecutor
from renderer.composition import Composition, PageUrl
from renderer.frames import FrameRange
from renderer.picture import from_png
from renderer.renderer import RenderedChunk
from tests.support.conformance import CONFORMANCE_PAGES
from tests.support.frame_numbers import decode_frame_numbers, frame_digests
from tests.support.moving_pictures import moving_picture
from tests.support.pages import LOSSLESS, PAGES, Crew, add_files, add_page, page_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(name="crew")
def crew_that_keeps_nothing(cold: Crew) -> Crew:
    return cold


ANIMATED_PICTURE = """<!doctype html>
<style>img { position: absolute; top: 24px; left: 0; width: 400px; height: 24px }</style>
<body>
<script src="squares.js"></script>
<script src="rows.js"></script>
<script>
  setTimeout(() => document.body.insertAdjacentHTML("beforeend", `<img src="moving.gif">`), 300);
  rows("frame");
  eachFrame(() => show({ frame: framefarm.frame }));
</script>
"""


@asynccontextmanager
async def counting_server(*, until: int) -> AsyncGenerator[PageUrl]:
    """A page of loopback that is wider with each request, up to `until` of them."""
    requests = count(1)

    async def answer(_request: web.Request) -> web.Response:
        width_px = 40 * min(next(requests), until)
        body = f"<!doctype html><div style='background:red;width:{width_px}px'>a counted page</div>"
        return web.Response(text=body, content_type="text/html")

    application = web.Application()
    application.router.add_get("/page", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield PageUrl(f"http://127.0.0.1:{runner.addresses[0][1]}/page")
    finally:
        await runner.cleanup()


def a_plan(orchestrator: RenderOrchestrator, page: Composition, frames: int) -> Plan:
    spec = JobSpec(
        composition=page, settings=page_settings(**LOSSLESS), frames=FrameRange(0, frames)
    )
    return orchestrator.plan(spec, job_id="job", concurrency=3)


def digest_of(file: Path) -> str:
    return from_png(file.read_bytes()).digest


async def render(
    crew: Crew,
    page: Composition,
    output: Path,
    frames: int = 10,
    *,
    pictures: Path | None = None,
) -> list[ChunkMoved]:
    """Render in three chunks; what became of them."""
    events: list[Event] = []
    orchestrator = RenderOrchestrator(crew.store, LocalExecutor(crew.renderer))
    plan = a_plan(orchestrator, page, frames)
    await orchestrator.render(plan, output, on_event=events.append, pictures=pictures)
    return [event for event in events if isinstance(event, ChunkMoved)]


async def a_chunk(
    crew: Crew, frames: tuple[int, int], output: Path, *, has_successor: bool = False
) -> RenderedChunk:
    return await crew.renderer.render(
        add_page(crew.store, "counter.html"),
        FrameRange(*frames),
        settings=page_settings(),
        output=output,
        on_event=lambda _: None,
        has_successor=has_successor,
    )


@pytest.mark.parametrize("page", ["counter.html", "state.html"])
async def test_the_chunks_of_a_page_fit_together(crew: Crew, tmp_path: Path, page: str) -> None:
    moved = await render(crew, add_page(crew.store, page), tmp_path / "out.mp4", frames=20)

    assert [each.state for each in moved].count(ChunkState.RENDERED) == 3
    assert [each for each in moved if each.state is ChunkState.REQUEUED] == []


async def test_a_digest_is_the_same_in_whichever_chunk_a_frame_is(
    crew: Crew, tmp_path: Path
) -> None:
    output = tmp_path / "chunk.mp4"
    whole = await a_chunk(crew, (0, 12), output)
    second = await a_chunk(crew, (7, 12), output)
    first = await a_chunk(crew, (0, 7), output, has_successor=True)

    assert len(set(whole.frame_digests)) == 12
    assert first.frame_digests + second.frame_digests == whole.frame_digests
    assert first.next_frame_digest == whole.frame_digests[7]
    assert second.next_frame_digest == ""
    assert decode_frame_numbers(output) == list(range(7))  # the successor's is not encoded


async def test_a_page_that_differs_from_session_to_session_fails_at_a_seam(
    crew: Crew, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    async with counting_server(until=1000) as page:
        with pytest.raises(SeamMismatchError, match="--stateful") as caught:
            await render(crew, page, tmp_path / "out.mp4", pictures=folder)

    assert caught.value.reason == "SEAM_MISMATCH"
    assert list(tmp_path.iterdir()) == [folder]
    kept = [folder / picture.name for picture in caught.value.pictures]
    digests = [digest_of(path) for path in kept[:2]]
    seam = caught.value.seam
    assert digests == [seam.left.next_frame_digest, seam.right.frame_digests[0]]
    assert digests[0] != digests[1]
    assert kept[2].exists()


async def test_a_page_that_settles_after_a_while_is_healed_by_the_second_try(
    crew: Crew, tmp_path: Path
) -> None:
    async with counting_server(until=3) as page:
        moved = await render(crew, page, tmp_path / "out.mp4")

    lost = [each for each in moved if each.state is ChunkState.REQUEUED]
    assert sorted(each.index for each in lost) == [0, 1]  # the last one came when it had settled
    assert len(decode_frame_numbers(tmp_path / "out.mp4")) == 10


async def test_an_animated_picture_that_came_late_goes_on_in_chunks_that_begin_after_it(
    crew: Crew, tmp_path: Path
) -> None:
    """Chromium lets it go on only where it is painted: so it is, before a chunk too."""
    files: dict[str, str | bytes] = {
        "index.html": ANIMATED_PICTURE,
        "squares.js": (PAGES / "squares.js").read_text(),
        "rows.js": (CONFORMANCE_PAGES / "rows.js").read_text(),
        "moving.gif": moving_picture(tmp_path, "gif", 100),
    }
    page = add_files(crew.store, files)
    whole = await crew.film(page, (0, 60), **LOSSLESS)

    moved = await render(crew, page, tmp_path / "out.mp4", frames=60)

    assert ChunkState.REQUEUED not in {each.state for each in moved}
    assert frame_digests(tmp_path / "out.mp4") == whole.pictures
