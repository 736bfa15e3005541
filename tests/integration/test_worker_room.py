"""A worker with little room, on a farm that does not notice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executors.base import AttemptLost, ChunkEvent
from renderer.bundle import BundleStore
from renderer.keeping import KeptPage, View
from renderer.settings import RenderSettings
from tests.support.farm import grpc_executor, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_bundle, a_task
from worker import scratch

KIB = 1 << 10


async def test_bundles_that_were_removed_to_make_room_are_sent_again(tmp_path: Path) -> None:
    store, events = BundleStore(tmp_path / "store"), list[ChunkEvent]()
    bundles = [a_bundle(store, tmp_path / name, text=name * 10 * KIB) for name in "abc"]
    key = View(url="http://a.example/", settings=RenderSettings(), series="kept").key
    renderer = PictureRenderer(pages=(KeptPage(key=key, from_frame=0),))
    async with (
        running_worker(renderer, bundle_bytes=15 * KIB) as worker,
        grpc_executor([worker.address], store) as (executor, _),
    ):
        for job, bundle in [("kept", 0), ("a", 1), ("b", 2), ("c", 1), ("d", 1)]:
            task = replace(a_task(composition=bundles[bundle]), job_id=job)
            await executor.render(task, tmp_path / "out.mp4", on_progress=events.append)

        held = [worker.bundles.has(bundle.digest) for bundle in bundles]
    assert len(renderer.rendered) == 5
    assert not any(isinstance(event, AttemptLost) for event in events)
    assert held == [True, True, False]  # the page of one stands open, the other was used last


class Endless(PictureRenderer):
    """Writes a file that grows and grows."""

    async def render(self, *args: Any, **kwargs: Any) -> Any:
        with kwargs["output"].open("wb") as file:
            while True:
                file.write(bytes(KIB << 10))
                file.flush()
                await asyncio.sleep(0.01)


async def test_a_chunk_that_outgrows_a_worker_is_rendered_on_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "WATCH_INTERVAL_S", 0.02)
    store, events = BundleStore(tmp_path / "store"), list[ChunkEvent]()
    async with (
        running_worker(Endless(), chunk_bytes=2 << 20) as small,
        running_worker(PictureRenderer()) as large,
        grpc_executor([small.address, large.address], store) as (executor, fleet),
    ):
        large.attempts.draining = True
        async with asyncio.TaskGroup() as group:
            rendering = group.create_task(
                executor.render(a_task(), tmp_path / "out.mp4", on_progress=events.append)
            )
            while not any(isinstance(event, AttemptLost) for event in events):
                await asyncio.sleep(0.01)
            large.attempts.draining = False

    (lost,) = [event for event in events if isinstance(event, AttemptLost)]
    assert "may have 2: give the worker more (--scratch)" in lost.reason
    assert rendering.result().frames == 10
    assert fleet
