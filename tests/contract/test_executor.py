"""What every RenderExecutor promises: one suite, run on a fake, on this machine, and over gRPC."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from executors.base import (
    AttemptStarted,
    ChunkEvent,
    ChunkTask,
    CompositionProber,
    FramesDone,
    RenderExecutor,
)
from executors.errors import CompositionFailedError, ExecutorError
from executors.local import LocalExecutor
from renderer.bundle import BundleStore
from renderer.composition import BundleEntry, Composition
from renderer.renderer import open_renderer
from renderer.settings import History
from tests.support.eventually import eventually
from tests.support.farm import grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import add_page, tools_or_skip
from tests.support.picture_renderer import PictureRenderer
from tests.support.processes import descendants
from tests.support.tasks import PAGE, a_task


@dataclass(frozen=True, kw_only=True)
class World:
    """An executor, a composition that it can render, and whether anything of it runs."""

    executor: RenderExecutor
    composition: Composition
    is_idle: Callable[[], bool]

    def task(self, start: int = 0, stop: int = 10, **props: object) -> ChunkTask:
        return a_task(start, stop, composition=self.composition, **props)


@asynccontextmanager
async def pictures(_folder: Path) -> AsyncGenerator[World]:
    renderer = PictureRenderer()
    yield World(
        executor=LocalExecutor(renderer, slots=2),
        composition=PAGE,
        is_idle=lambda: not renderer.running,
    )


@asynccontextmanager
async def chromium(folder: Path) -> AsyncGenerator[World]:
    bundles = BundleStore(folder / "bundles")
    async with open_renderer(bundles, tools_or_skip()) as renderer:
        before = descendants()
        yield World(
            executor=LocalExecutor(renderer, slots=2),
            composition=add_page(bundles, "counter.html"),
            is_idle=lambda: descendants() <= before,
        )


@asynccontextmanager
async def grpc(folder: Path) -> AsyncGenerator[World]:
    renderer = PictureRenderer()
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(running_worker(renderer, slots=2))
        bundles = BundleStore(folder / "bundles")
        executor, _ = await stack.enter_async_context(grpc_executor([worker.address], bundles))
        yield World(executor=executor, composition=PAGE, is_idle=lambda: not renderer.running)


@pytest.fixture(params=[pictures, chromium, grpc], ids=lambda make: make.__name__)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[World]:
    async with request.param(tmp_path / "world") as made:
        yield made


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "chunk.mp4"


async def test_the_finished_chunk_stands_at_the_output_as_the_result_says(
    world: World, output: Path
) -> None:
    result = await world.executor.render(world.task(5, 15), output, on_progress=lambda _: None)

    data = output.read_bytes()
    assert decode_frame_numbers(output) == list(range(5, 15))
    assert (result.frames, result.size_bytes) == (10, len(data))
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert (result.width_px, result.height_px) == (400, 64)
    assert result.fingerprint
    assert list(output.parent.iterdir()) == [output]


async def test_progress_names_the_place_first_and_counts_up_to_all_frames(
    world: World, output: Path
) -> None:
    events: list[ChunkEvent] = []

    await world.executor.render(world.task(), output, on_progress=events.append)

    done = [event.done for event in events if isinstance(event, FramesDone)]
    assert isinstance(events[0], AttemptStarted)
    assert done == sorted(done)
    assert done[-1] == 10


async def test_a_page_at_fault_is_told_in_its_own_words_and_leaves_nothing(
    world: World, output: Path
) -> None:
    with pytest.raises(CompositionFailedError, match="the page gave up at frame 7") as caught:
        await world.executor.render(world.task(throw=7), output, on_progress=lambda _: None)

    assert not caught.value.retryable
    assert caught.value.reason == "PAGE_ERROR"
    assert caught.value.detail
    assert list(output.parent.iterdir()) == []


async def test_a_cancel_goes_on_when_the_work_has_stopped_and_leaves_nothing(
    world: World, output: Path
) -> None:
    events: list[ChunkEvent] = []
    task = world.task(0, 10_000, frame_s=0.001)
    rendering = asyncio.create_task(world.executor.render(task, output, on_progress=events.append))
    await eventually(lambda: any(isinstance(e, FramesDone) for e in events), within_s=60)
    assert not world.is_idle()

    rendering.cancel()
    await asyncio.wait([rendering])

    assert rendering.cancelled()
    assert world.is_idle()
    assert list(output.parent.iterdir()) == []


async def test_many_chunks_may_be_asked_for_at_once(world: World, output: Path) -> None:
    tasks = [replace(world.task(4 * k, 4 * k + 4), index=k) for k in range(4)]
    outputs = [output.with_name(f"{task.index}.mp4") for task in tasks]

    async with asyncio.TaskGroup() as group:
        for task, each in zip(tasks, outputs, strict=True):
            group.create_task(world.executor.render(task, each, on_progress=lambda _: None))

    numbers = [number for each in outputs for number in decode_frame_numbers(each)]
    assert numbers == list(range(16))


@pytest.mark.parametrize("world", [chromium, grpc], indirect=True)
async def test_a_bundle_that_is_not_there_is_an_executors_error(world: World, output: Path) -> None:
    task = a_task(composition=BundleEntry("0" * 64))

    with pytest.raises(ExecutorError, match="000000000000"):
        await world.executor.render(task, output, on_progress=lambda _: None)

    assert list(output.parent.iterdir()) == []


async def test_a_probe_says_that_time_may_jump(world: World) -> None:
    assert isinstance(world.executor, CompositionProber)

    found = await world.executor.probe(world.task(0, 10))

    assert found.jumps[-1] == 9
    assert found.differences == ()
    assert found.history is History.SEEKABLE


async def test_a_page_at_fault_fails_in_the_probe(world: World) -> None:
    assert isinstance(world.executor, CompositionProber)

    with pytest.raises(CompositionFailedError, match="the page gave up at frame 0"):
        await world.executor.probe(world.task(throw=0))


async def test_a_cancelled_probe_has_ended_everywhere(world: World) -> None:
    assert isinstance(world.executor, CompositionProber)
    probing = asyncio.create_task(world.executor.probe(world.task(hang=0)))
    await eventually(lambda: not world.is_idle(), within_s=60)

    probing.cancel()
    await asyncio.wait([probing])

    assert probing.cancelled()
    assert world.is_idle()
