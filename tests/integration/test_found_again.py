"""Attempts that outlive a connection or a coordinator, and are not begun again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from executors.base import AttemptLost, ChunkEvent, FramesDone
from executors.errors import StaleTermError
from renderer.bundle import BundleStore
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.farm import grpc_executor, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_task
from tests.support.tcp_proxy import tcp_proxy


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


async def test_a_connection_that_breaks_costs_no_frame(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderer, events = PictureRenderer(), list[ChunkEvent]()
    async with (
        running_worker(renderer) as worker,
        tcp_proxy(worker.address) as proxy,
        grpc_executor([proxy.address], bundles, term=1) as (executor, _),
    ):
        task = a_task(0, 60, frame_s=0.02)
        rendering = asyncio.create_task(
            executor.render(task, tmp_path / "out.mp4", on_progress=events.append)
        )
        await eventually(lambda: any(isinstance(event, FramesDone) for event in events))
        proxy.cut()
        proxy.mend()
        await rendering

    assert renderer.rendered == [FrameRange(0, 60)]  # once
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(60))
    assert not any(isinstance(event, AttemptLost) for event in events)


async def test_a_coordinator_goes_on_with_what_the_one_before_it_began(
    tmp_path: Path, bundles: BundleStore
) -> None:
    renderer, events, task = PictureRenderer(), list[ChunkEvent](), a_task(0, 60, frame_s=0.03)
    async with (
        running_worker(renderer) as worker,
        tcp_proxy(worker.address) as proxy,
        grpc_executor([proxy.address], bundles, term=1) as (killed, _),
    ):
        old = asyncio.create_task(
            killed.render(task, tmp_path / "old.mp4", on_progress=events.append)
        )
        await eventually(lambda: any(isinstance(event, FramesDone) for event in events))
        proxy.cut()  # as when its process is gone: nothing can be said any more
        async with grpc_executor([worker.address], bundles, term=2) as (executor, _):
            await executor.render(task, tmp_path / "new.mp4", on_progress=lambda _: None)
        old.cancel()
        await asyncio.wait([old])

    assert renderer.rendered == [FrameRange(0, 60)]
    assert decode_frame_numbers(tmp_path / "new.mp4") == list(range(60))


async def test_a_coordinator_of_an_earlier_term_gets_nothing_done_any_more(
    tmp_path: Path, bundles: BundleStore
) -> None:
    async with (
        running_worker(PictureRenderer()) as worker,
        grpc_executor([worker.address], bundles, term=1) as (zombie, _),
        grpc_executor([worker.address], bundles, term=2) as (leader, _),
    ):
        await leader.render(a_task(), tmp_path / "new.mp4", on_progress=lambda _: None)

        with pytest.raises(StaleTermError):
            await zombie.render(a_task(), tmp_path / "old.mp4", on_progress=lambda _: None)
