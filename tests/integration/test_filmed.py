"""A slot is free as soon as its chunk is filmed: over real gRPC, whatever becomes of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from executors.attach_call import AttachCall
from executors.base import ChunkEvent, ChunkResult, Filmed, FramesDone
from executors.chunk_call import ChunkCall
from executors.errors import (
    RenderCrashedError,
    WorkerBusyError,
    WorkerLostError,
)
from executors.fleet import Fleet
from executors.grpc import GrpcExecutor
from executors.status import SLOTS_FULL
from protos.framefarm.v1 import worker_pb2 as pb
from renderer.bundle import BundleStore
from serving.channel import open_channel
from tests.support.eventually import eventually
from tests.support.farm import TestWorker, grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_task
from tests.support.tcp_proxy import tcp_proxy
from tests.support.worker_calls import dialled, stub_of


@dataclass
class Calls:
    """Calls for chunks to a worker, and what each has heard."""

    stub: Any
    folder: Path
    told: dict[int, list[ChunkEvent]] = field(default_factory=dict)

    def begin(self, index: int, stub: Any = None) -> asyncio.Task[ChunkResult]:
        heard = self.told[index] = []
        task = replace(a_task(10 * index, 10 * index + 10), index=index, term=1)
        call = ChunkCall(task, self.folder / f"{index}.mp4", worker="w", on_progress=heard.append)
        return asyncio.create_task(call.run(stub or self.stub))

    async def filmed(self, index: int) -> None:
        await eventually(lambda: Filmed() in self.told[index])

    async def report(self) -> tuple[int, list[tuple[int, bool, bool]]]:
        """The free slots; and of each attempt its chunk, whether it is filmed, and finished."""
        report = await self.stub.GetWorker(pb.GetWorkerRequest())
        rows = [(row.chunk_index, row.filmed, row.finished) for row in report.attempts]
        return report.free_slots, sorted(rows)


@asynccontextmanager
async def a_worker(folder: Path) -> AsyncGenerator[tuple[Calls, PictureRenderer, TestWorker]]:
    """A worker of one slot, whose encoders wait."""
    renderer = PictureRenderer(darkroom=asyncio.Event())
    async with dialled(renderer) as (stub, _, worker):
        yield Calls(stub, folder), renderer, worker


def open_darkroom(renderer: PictureRenderer) -> None:
    assert renderer.darkroom is not None
    renderer.darkroom.set()


async def test_the_next_chunk_begins_beside_the_encoder_and_the_third_one_does_not(
    tmp_path: Path,
) -> None:
    async with a_worker(tmp_path) as (calls, renderer, _):
        first = calls.begin(0)
        await calls.filmed(0)
        assert await calls.report() == (1, [(0, True, False)])

        second = calls.begin(1)
        await calls.filmed(1)
        assert await calls.report() == (0, [(0, True, False), (1, True, False)])
        with pytest.raises(WorkerBusyError, match="2 chunks are encoded or wait") as caught:
            await calls.begin(2)

        assert caught.value.reason == SLOTS_FULL
        open_darkroom(renderer)
        results = [await first, await second]
        assert await calls.report() == (1, [])

    assert calls.told[0][-2:] == [FramesDone(10), Filmed()]
    assert [result.index for result in results] == [0, 1]
    assert decode_frame_numbers(tmp_path / "1.mp4") == list(range(10, 20))


async def test_what_is_aborted_while_it_is_encoded_is_gone_and_the_chunk_beside_it_goes_on(
    tmp_path: Path,
) -> None:
    async with a_worker(tmp_path) as (calls, renderer, _):
        first = calls.begin(0)
        await calls.filmed(0)
        second = calls.begin(1)
        await calls.filmed(1)

        first.cancel()
        await asyncio.wait([first])

        assert first.cancelled()
        assert [frames.start for frames in renderer.running] == [10]
        assert await calls.report() == (1, [(1, True, False)])
        open_darkroom(renderer)
        assert (await second).frames == 10


async def test_a_connection_that_breaks_under_the_encoder_is_taken_up_and_told_of_it_again(
    tmp_path: Path,
) -> None:
    async with (
        a_worker(tmp_path) as (calls, renderer, worker),
        tcp_proxy(worker.address) as proxy,
        open_channel(proxy.address) as cable,
    ):
        broken = calls.begin(0, stub_of(cable))
        await calls.filmed(0)
        proxy.cut()
        with pytest.raises(WorkerLostError):
            await broken
        beside = calls.begin(1)
        await calls.filmed(1)

        heard: list[ChunkEvent] = []
        task = replace(a_task(0, 10), term=1)
        attach = AttachCall(
            task, tmp_path / "0.mp4", worker="w", on_progress=heard.append, caller_term=2
        )
        attached = asyncio.create_task(attach.run(calls.stub))
        await eventually(lambda: Filmed() in heard)
        open_darkroom(renderer)

        assert (await attached).attempt == 1
        assert (await beside).frames == 10
    assert heard == [FramesDone(10), Filmed()]
    assert decode_frame_numbers(tmp_path / "0.mp4") == list(range(10))
    assert len(renderer.begun) == 2


async def test_what_has_finished_and_waits_for_a_caller_has_no_slot(tmp_path: Path) -> None:
    async with (
        a_worker(tmp_path) as (calls, renderer, worker),
        tcp_proxy(worker.address) as proxy,
        open_channel(proxy.address) as cable,
    ):
        broken = calls.begin(0, stub_of(cable))
        await calls.filmed(0)
        proxy.cut()
        open_darkroom(renderer)
        with pytest.raises(WorkerLostError):
            await broken
        await eventually(lambda: worker.attempts.running[0].is_finished)

        assert await calls.report() == (1, [(0, True, True)])
        assert (await calls.begin(1)).frames == 10


@asynccontextmanager
async def a_farm(
    folder: Path, *renderers: PictureRenderer
) -> AsyncGenerator[tuple[GrpcExecutor, Fleet]]:
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(running_worker(renderer, name=f"w{number}"))
            for number, renderer in enumerate(renderers)
        ]
        addresses = [worker.address for worker in workers]
        opening = grpc_executor(addresses, BundleStore(folder / "store"))
        executor, fleet = await stack.enter_async_context(opening)
        await eventually(lambda: all(worker.is_serving for worker in fleet.workers))
        yield executor, fleet


async def render(executor: GrpcExecutor, folder: Path, index: int) -> ChunkResult:
    task = replace(a_task(10 * index, 10 * index + 10), index=index, has_successor=True)
    return await executor.render(task, folder / f"{index}.mp4", on_progress=lambda _: None)


async def test_a_farm_sends_the_next_chunk_when_one_is_filmed_and_no_more_than_are_taken(
    tmp_path: Path,
) -> None:
    renderer = PictureRenderer(darkroom=asyncio.Event())
    async with a_farm(tmp_path, renderer) as (executor, fleet):
        async with asyncio.TaskGroup() as group:
            rendered = [group.create_task(render(executor, tmp_path, each)) for each in range(4)]
            await eventually(lambda: [worker.filmed for worker in fleet.workers] == [2])

            assert [frames.start for frames in renderer.begun] == [0, 10]
            open_darkroom(renderer)

        assert [each.result().attempt for each in rendered] == [1, 1, 1, 1]  # none was refused
        assert [(worker.leased, worker.filmed) for worker in fleet.workers] == [(0, 0)]
    assert [frames.start for frames in renderer.begun] == [0, 10, 20, 30]


@dataclass
class Breaking(PictureRenderer):
    """One whose first encoder breaks once it may."""

    breaks: int = 1

    async def render(self, *args: Any, **named: Any) -> Any:
        chunk = await super().render(*args, **named)
        self.breaks -= 1
        if self.breaks >= 0:
            raise RenderCrashedError("ffmpeg was ended by SIGKILL")
        return chunk


async def test_an_encoder_that_breaks_costs_its_own_chunk_an_attempt_and_frees_nothing_twice(
    tmp_path: Path,
) -> None:
    renderer = Breaking(darkroom=asyncio.Event())
    async with a_farm(tmp_path, renderer) as (executor, fleet):
        async with asyncio.TaskGroup() as group:
            rendered = [group.create_task(render(executor, tmp_path, each)) for each in range(3)]
            await eventually(lambda: [worker.filmed for worker in fleet.workers] == [2])
            open_darkroom(renderer)

        assert sorted(each.result().attempt for each in rendered) == [1, 1, 2]
        assert [(worker.leased, worker.filmed) for worker in fleet.workers] == [(0, 0)]


async def test_an_attempt_that_is_cancelled_while_it_is_encoded_leaves_nothing_to_take_up(
    tmp_path: Path,
) -> None:
    renderer = PictureRenderer(darkroom=asyncio.Event())
    async with a_farm(tmp_path, renderer) as (executor, fleet):
        rendering = asyncio.create_task(render(executor, tmp_path, 0))
        await eventually(lambda: [worker.filmed for worker in fleet.workers] == [1])

        rendering.cancel()
        await asyncio.wait([rendering])

        assert rendering.cancelled()
        assert renderer.running == []
        assert [(worker.leased, worker.filmed) for worker in fleet.workers] == [(0, 0)]
        assert not list(tmp_path.glob("*.mp4*"))


async def test_a_worker_that_never_says_that_it_has_filmed_keeps_its_slots_as_before(
    tmp_path: Path,
) -> None:
    class Silent(PictureRenderer):
        async def render(self, *args: Any, **named: Any) -> Any:
            hear = named.pop("on_event")
            return await super().render(
                *args,
                on_event=lambda event: None if event == Filmed() else hear(event),
                **named,
            )

    renderer = Silent(darkroom=asyncio.Event())
    async with a_farm(tmp_path, renderer) as (executor, fleet), asyncio.TaskGroup() as group:
        for index in range(3):
            group.create_task(render(executor, tmp_path, index))
        await eventually(lambda: len(renderer.running) == 1 and not renderer.filming)
        await asyncio.sleep(0)

        assert [(worker.leased, worker.filmed) for worker in fleet.workers] == [(1, 0)]
        assert len(renderer.begun) == 1
        open_darkroom(renderer)

    assert len(renderer.rendered) == 3
