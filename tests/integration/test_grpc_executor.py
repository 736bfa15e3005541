"""GrpcExecutor against real worker servers on loopback, whose renderer needs no browser."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executors.base import AttemptLost, AttemptStarted, ChunkEvent, WarmPage
from executors.errors import (
    BundleAbsentError,
    CompositionFailedError,
    NoWorkerError,
    RenderCrashedError,
)
from executors.grpc import GrpcExecutor
from renderer.bundle import BundleStore
from renderer.composition import BundleEntry
from renderer.errors import MissingToolError
from renderer.frames import FrameRange
from renderer.keeping import KeptPage, View
from renderer.settings import RenderSettings
from tests.support.eventually import eventually
from tests.support.farm import all_asked, all_serve, grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_bundle, a_task


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


async def render_all(
    executor: GrpcExecutor, folder: Path, count: int, on_progress: list[ChunkEvent], **props: Any
) -> None:
    async with asyncio.TaskGroup() as group:
        for index in range(count):
            task = replace(a_task(10 * index, 10 * index + 10, **props), index=index)
            output = folder / f"{index}.mp4"
            group.create_task(executor.render(task, output, on_progress=on_progress.append))


async def test_chunks_are_spread_over_the_free_slots_of_all_workers(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderers = [PictureRenderer(gate=asyncio.Semaphore(0)) for _ in range(2)]
    events: list[ChunkEvent] = []
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(running_worker(renderer)) for renderer in renderers
        ]
        executor, fleet = await stack.enter_async_context(
            grpc_executor([worker.address for worker in workers], bundles)
        )
        await all_serve(fleet)

        async with asyncio.TaskGroup() as group:
            group.create_task(render_all(executor, tmp_path, 6, events))
            for done in range(3):
                await let_one_through(renderers, done)

    assert [len(renderer.rendered) for renderer in renderers] == [3, 3]
    for index in range(6):
        numbers = decode_frame_numbers(tmp_path / f"{index}.mp4")
        assert numbers == list(range(10 * index, 10 * index + 10))


async def let_one_through(renderers: list[PictureRenderer], done: int) -> None:
    """When all of them are at work, each having `done` so many chunks, let each end its chunk."""
    await eventually(lambda: all(renderer.running for renderer in renderers))
    for renderer in renderers:
        assert renderer.gate
        renderer.gate.release()
    await eventually(lambda: all(len(renderer.rendered) > done for renderer in renderers))


async def test_chunks_go_where_their_jobs_page_stands_open(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderers = [PictureRenderer(), PictureRenderer()]
    async with AsyncExitStack() as stack:
        workers = {
            (await stack.enter_async_context(running_worker(renderer))).address: renderer
            for renderer in renderers
        }
        cold, warm = (workers[address] for address in sorted(workers))
        key = View(url="http://a.example/", settings=RenderSettings(), series="job").key
        warm.pages = (KeptPage(key=key, from_frame=10),)
        executor, fleet = await stack.enter_async_context(grpc_executor([*workers], bundles))
        await all_serve(fleet)

        for start in (10, 0):  # one that the page can show, and one that it has left behind
            task = a_task(start, start + 10)
            await executor.render(task, tmp_path / f"{start}.mp4", on_progress=lambda _: None)

    assert warm.rendered == [FrameRange(10, 20)]
    assert cold.rendered == [FrameRange(0, 10)]


async def test_a_worker_is_known_to_be_warm_as_soon_as_a_chunk_is_done(
    tmp_path: Path, bundles: BundleStore
) -> None:
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(running_worker(PictureRenderer())) for _ in range(2)
        ]
        executor, fleet = await stack.enter_async_context(
            grpc_executor([worker.address for worker in workers], bundles)
        )
        await all_serve(fleet)
        task = replace(a_task(0, 10), has_successor=True)
        result = await executor.render(task, tmp_path / "0.mp4", on_progress=lambda _: None)

        assert result.frames == 10
        pages = [page for worker in fleet.workers for page in worker.pages]
        assert pages == [WarmPage("job", 10)]


async def test_a_worker_that_dies_costs_its_chunks_another_attempt_elsewhere(
    tmp_path: Path, bundles: BundleStore
) -> None:
    dying, living = PictureRenderer(), PictureRenderer()
    events: list[ChunkEvent] = []
    async with AsyncExitStack() as stack:
        survivor = await stack.enter_async_context(running_worker(living, name="b"))
        doomed = AsyncExitStack()
        victim = await doomed.enter_async_context(running_worker(dying, name="a"))
        executor, fleet = await stack.enter_async_context(
            grpc_executor([victim.address, survivor.address], bundles)
        )
        await all_serve(fleet)
        async with asyncio.TaskGroup() as group:
            group.create_task(render_all(executor, tmp_path, 4, events, frame_s=0.05))
            await eventually(lambda: bool(dying.running))

            await doomed.aclose()

    lost = [event for event in events if isinstance(event, AttemptLost)]
    assert {event.worker for event in lost} == {victim.address}
    assert len(lost) <= 2  # one was filmed, another one encoded
    assert AttemptStarted(survivor.address, 2) in events
    for index in range(4):
        assert len(decode_frame_numbers(tmp_path / f"{index}.mp4")) == 10


async def test_a_page_at_fault_is_not_tried_again_and_keeps_its_words(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderer = PictureRenderer()
    events: list[ChunkEvent] = []
    async with (
        running_worker(renderer) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        with pytest.raises(CompositionFailedError) as caught:
            await executor.render(a_task(throw=4), tmp_path / "out.mp4", on_progress=events.append)

    assert str(caught.value) == "Error: the page gave up at frame 4"
    assert caught.value.reason == "PAGE_ERROR"
    assert caught.value.detail == "at page.js:1:1"
    assert [type(event) for event in events].count(AttemptStarted) == 1
    assert list(tmp_path.glob("*out*")) == []


async def test_a_cancelled_chunk_is_gone_from_the_worker_before_the_cancel_goes_on(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderer = PictureRenderer()
    async with (
        running_worker(renderer) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        output = tmp_path / "out.mp4"
        rendering = asyncio.create_task(
            executor.render(a_task(hang=3), output, on_progress=lambda _: None)
        )
        await eventually(lambda: bool(renderer.running))
        rendering.cancel()
        await asyncio.wait([rendering])

        assert rendering.cancelled()
        assert renderer.running == []
        await eventually(lambda: worker.attempts.running == [])
    assert list(tmp_path.glob("*out*")) == []


async def test_a_renderer_that_crashes_once_is_given_another_try(
    tmp_path: Path, bundles: BundleStore
) -> None:
    events: list[ChunkEvent] = []
    async with (
        running_worker(PictureRenderer(crashes=1)) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        await executor.render(a_task(crash=5), tmp_path / "out.mp4", on_progress=events.append)

    assert len([event for event in events if isinstance(event, AttemptLost)]) == 1
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(10))


async def test_a_chunk_that_breaks_every_renderer_fails_with_the_whole_story(
    tmp_path: Path, bundles: BundleStore
) -> None:
    async with (
        running_worker(PictureRenderer(crashes=9)) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        with pytest.raises(RenderCrashedError, match="Chromium is gone") as caught:
            await executor.render(a_task(crash=5), tmp_path / "out.mp4", on_progress=lambda _: None)

    assert caught.value.detail.count(worker.address) == 3


async def test_a_bundle_is_brought_to_the_worker_once(tmp_path: Path, bundles: BundleStore) -> None:
    entry = a_bundle(bundles, tmp_path / "page")
    async with (
        running_worker(PictureRenderer(), slots=2) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        task = a_task(composition=entry)
        async with asyncio.TaskGroup() as group:
            for index in range(3):
                each = replace(task, index=index)
                output = tmp_path / f"{index}.mp4"
                group.create_task(executor.render(each, output, on_progress=lambda _: None))

        assert worker.bundles.has(entry.digest)


async def test_a_bundle_that_the_worker_lost_is_brought_again(
    tmp_path: Path, bundles: BundleStore
) -> None:
    entry = a_bundle(bundles, tmp_path / "page")
    async with (
        running_worker(PictureRenderer()) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        task = a_task(composition=entry)
        await executor.render(task, tmp_path / "1.mp4", on_progress=lambda _: None)
        (worker.bundles._bundles / entry.digest).unlink()

        await executor.render(task, tmp_path / "2.mp4", on_progress=lambda _: None)

        assert worker.bundles.has(entry.digest)


async def test_a_bundle_that_nobody_has_is_the_callers_fault(
    tmp_path: Path, bundles: BundleStore
) -> None:
    async with (
        running_worker(PictureRenderer()) as worker,
        grpc_executor([worker.address], bundles) as (executor, _),
    ):
        with pytest.raises(BundleAbsentError, match="never uploaded"):
            await executor.render(
                a_task(composition=BundleEntry("0" * 64)),
                tmp_path / "out.mp4",
                on_progress=lambda _: None,
            )


async def test_without_any_worker_the_chunk_fails_and_says_who_was_asked(
    tmp_path: Path, bundles: BundleStore
) -> None:
    async with grpc_executor(["127.0.0.1:1"], bundles, worker_wait_s=0.5) as (executor, fleet):
        await all_asked(fleet)
        with pytest.raises(NoWorkerError, match=r"127\.0\.0\.1:1: UNAVAILABLE"):
            await executor.render(a_task(), tmp_path / "out.mp4", on_progress=lambda _: None)


async def test_a_worker_of_another_fingerprint_gets_nothing_of_the_job(
    tmp_path: Path, bundles: BundleStore
) -> None:
    old, new = PictureRenderer(fingerprint="old"), PictureRenderer(fingerprint="new")
    async with (
        running_worker(old) as first,
        running_worker(new) as second,
        grpc_executor([first.address, second.address], bundles) as (executor, fleet),
    ):
        await all_serve(fleet)

        await render_all(executor, tmp_path, 4, [], frame_s=0.01)

    assert sorted([len(old.rendered), len(new.rendered)]) == [0, 4]


async def test_a_slot_taken_by_someone_else_is_waited_for(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderer = PictureRenderer()
    async with (
        running_worker(renderer) as worker,
        grpc_executor([worker.address], bundles) as (executor, fleet),
        grpc_executor([worker.address], bundles) as (rival, _),
    ):
        await all_serve(fleet)
        async with asyncio.TaskGroup() as group:
            theirs = replace(a_task(frame_s=0.05), job_id="theirs")
            group.create_task(
                rival.render(theirs, tmp_path / "theirs.mp4", on_progress=lambda _: None)
            )
            await eventually(lambda: bool(renderer.running))

            await executor.render(a_task(), tmp_path / "ours.mp4", on_progress=lambda _: None)

    assert decode_frame_numbers(tmp_path / "ours.mp4") == list(range(10))


async def test_a_worker_that_cannot_render_at_all_is_asked_once(
    tmp_path: Path, bundles: BundleStore
) -> None:
    class Bare(PictureRenderer):
        async def _frame(self, number: int, orders: dict[str, float]) -> None:
            raise MissingToolError("no ffmpeg here: apt-get install ffmpeg")

    events: list[ChunkEvent] = []
    async with (
        running_worker(Bare()) as worker,
        grpc_executor([worker.address], bundles, worker_wait_s=0.5) as (executor, fleet),
    ):
        await all_serve(fleet)
        with pytest.raises(NoWorkerError, match="apt-get install ffmpeg"):
            await executor.render(a_task(), tmp_path / "out.mp4", on_progress=events.append)

    assert len([event for event in events if isinstance(event, AttemptStarted)]) == 1
