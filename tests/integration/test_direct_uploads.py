"""Workers that bring chunk files to the artifact store themselves."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from coordinator.artifacts.opening import open_artifacts
from coordinator.artifacts.shelf import Shelf
from coordinator.artifacts.uploads import ShelfUploads
from executors import wire
from executors.base import AttemptLost, ChunkEvent, ChunkTask
from executors.errors import TaskRefusedError
from executors.grpc import GrpcExecutor
from executors.grpc_worker import GrpcWorker
from protos.framefarm.v1 import worker_pb2 as pb
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.bundle import BundleStore
from serving.channel import new_channel
from tests.support.eventually import eventually
from tests.support.farm import grpc_executor, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.s3_server import new_bucket
from tests.support.tasks import a_task

KEY = "chunks/job/uploads/000000-0-1.mp4"


@pytest.fixture
async def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr("worker.upload._PAUSES_S", (0.0, 0.0))
    return Shelf(tmp_path, await open_artifacts(new_bucket(monkeypatch), tmp_path))


@dataclass
class WrongUploads(ShelfUploads):
    """Gives these URLs first."""

    shelf: Shelf
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.shelf)

    async def url(self, task: ChunkTask) -> str:
        return self.wrong.pop(0) if self.wrong else await super().url(task)


@asynccontextmanager
async def a_farm(uploads: ShelfUploads, folder: Path) -> AsyncGenerator[GrpcExecutor]:
    async with (
        running_worker(PictureRenderer()) as worker,
        grpc_executor([worker.address], BundleStore(folder / "data"), uploads=uploads) as farm,
    ):
        yield farm[0]


def ignored(event: ChunkEvent) -> None:
    """Nobody asks."""


async def test_a_worker_brings_the_file_and_the_coordinator_fetches_it(
    shelf: Shelf, tmp_path: Path
) -> None:
    output = tmp_path / "chunk.mp4"
    async with a_farm(ShelfUploads(shelf), tmp_path) as executor:
        result = await executor.render(a_task(), output, on_progress=ignored)

    assert result.artifact == KEY
    assert await shelf.store.size(KEY) == result.size_bytes
    assert hashlib.sha256(output.read_bytes()).hexdigest() == result.sha256
    assert len(result.frame_digests) == 10


async def test_a_worker_that_cannot_reach_the_store_sends_the_file(
    shelf: Shelf, tmp_path: Path
) -> None:
    output, uploads = tmp_path / "chunk.mp4", WrongUploads(shelf, ["http://127.0.0.1:1/never"])
    async with a_farm(uploads, tmp_path) as executor:
        result = await executor.render(a_task(), output, on_progress=ignored)

    assert result.artifact == ""
    assert hashlib.sha256(output.read_bytes()).hexdigest() == result.sha256


async def test_a_store_that_could_not_be_reached_is_left_alone_for_a_while(
    shelf: Shelf, tmp_path: Path
) -> None:
    output, uploads = tmp_path / "chunk.mp4", WrongUploads(shelf, ["http://127.0.0.1:1/never"])
    async with a_farm(uploads, tmp_path) as executor:
        for index in range(2):
            task = replace(a_task(), index=index)
            await executor.render(task, output, on_progress=ignored)

    assert await shelf.store.list_prefix("chunks/") == []


@pytest.mark.parametrize("bytes_there", [None, b"other"])
async def test_an_attempt_whose_file_is_not_what_was_made_is_followed_by_another(
    shelf: Shelf, tmp_path: Path, bytes_there: bytes | None
) -> None:
    output, lost = tmp_path / "chunk.mp4", list[AttemptLost]()
    if bytes_there is not None:
        (tmp_path / "other").write_bytes(bytes_there)
        await shelf.store.put(tmp_path / "other", KEY)
    elsewhere = await shelf.store.upload_url("elsewhere", valid_s=60) or ""

    def hear(event: ChunkEvent) -> None:
        if isinstance(event, AttemptLost):
            lost.append(event)

    async with a_farm(WrongUploads(shelf, [elsewhere]), tmp_path) as executor:
        result = await executor.render(a_task(), output, on_progress=hear)

    (why,) = lost
    assert "uploaded as 5 bytes" in why.reason or "was not brought" in why.reason
    assert result.attempt == 2
    assert result.artifact == "chunks/job/uploads/000000-0-2.mp4"
    assert hashlib.sha256(output.read_bytes()).hexdigest() == result.sha256


async def test_a_url_that_is_none_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    uploads = WrongUploads(shelf, ["file:///etc/passwd"])
    async with a_farm(uploads, tmp_path) as executor:
        with pytest.raises(TaskRefusedError, match="upload_url: 'file:///etc/passwd' is no http"):
            await executor.render(a_task(), tmp_path / "chunk.mp4", on_progress=ignored)


async def test_a_file_that_was_brought_before_anyone_listened_is_taken_up(
    shelf: Shelf, tmp_path: Path
) -> None:
    output, uploads, task = tmp_path / "chunk.mp4", ShelfUploads(shelf), a_task()
    async with running_worker(PictureRenderer()) as worker:
        async with grpc.aio.insecure_channel(worker.address) as channel:
            stub: Any = worker_pb2_grpc.RenderWorkerStub(channel)
            call = stub.RenderChunk()
            told = wire.from_task(replace(task, upload_url=await uploads.url(task)))
            await call.write(pb.RenderChunkRequest(task=told))
            assert (await call.read()).HasField("accepted")
            call.cancel()  # as a connection that breaks
        await eventually(lambda: any(each.is_finished for each in worker.attempts.running))
        link = GrpcWorker(
            worker.address,
            new_channel(worker.address),
            BundleStore(tmp_path / "data"),
            term=0,
            uploads=uploads,
        )
        result = await link.attach(task, output, on_progress=ignored)
        await link.close()

    assert result.artifact == KEY
    assert hashlib.sha256(output.read_bytes()).hexdigest() == result.sha256
