"""A farm whose artifacts are in an S3-compatible store, and a coordinator that loses its disk."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from coordinator import wire
from coordinator.artifacts.opening import open_artifacts
from coordinator.job import Job, JobState
from executors.transfer import send_bundle
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.bundle import manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.farm import all_serve, running_coordinator, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.s3_server import new_bucket
from tests.support.tasks import a_spec


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> str:
    return new_bucket(monkeypatch)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def uploaded(stub: Any, folder: Path) -> BundleEntry:
    (folder / "index.html").write_text("<h1>hello</h1>")
    return BundleEntry(
        await send_bundle(stub, manifest_of(folder), lambda _: folder / "index.html")
    )


async def rendered(stub: Any, job_id: str) -> Job:
    async for _ in stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
        pass
    return wire.to_job(await stub.GetJob(pb.GetJobRequest(job_id=job_id)))


async def downloaded(
    stub: Any, job_id: str, *, offset: int = 0, part: pb.OutputPart.ValueType
) -> bytes:
    request = pb.DownloadOutputRequest(job_id=job_id, offset=offset, part=part)
    return b"".join([response.data async for response in stub.DownloadOutput(request)])


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def keys(url: str, folder: Path) -> list[str]:
    store = await open_artifacts(url, folder)
    return [artifact.key for artifact in await store.list_prefix("")]


async def kept(url: str, key: str) -> None:
    store = await open_artifacts(url, Path())
    async with asyncio.timeout(60):
        while await store.size(key) is None:
            await asyncio.sleep(0.01)


async def test_a_coordinator_with_an_empty_disk_goes_on_with_what_the_store_keeps(
    s3: str, tmp_path: Path
) -> None:
    first_dir, second_dir = made(tmp_path / "first"), made(tmp_path / "second")
    gate = asyncio.Semaphore(2)
    renderer = PictureRenderer(gate=gate)
    async with running_worker(renderer) as worker:
        async with (
            running_coordinator([worker.address], first_dir, artifacts=s3) as first,
            grpc.aio.insecure_channel(first.address) as channel,
        ):
            stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
            page = await uploaded(stub, made(tmp_path / "page"))
            spec = a_spec(40, composition=page)
            job = await first.jobs.create(spec)
            for name in ("chunk-000000.json", "chunk-000001.json"):  # in any order
                await kept(s3, f"chunks/{job.id}/{name}")
        shutil.copy(first_dir / "jobs.sqlite", second_dir)  # in place of a server elsewhere
        shutil.rmtree(first_dir)
        await eventually(lambda: not renderer.running)
        for _ in range(2):
            gate.release()

        async with (
            running_coordinator([worker.address], second_dir, artifacts=s3) as second,
            grpc.aio.insecure_channel(second.address) as channel,
        ):
            stub = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
            ended = await asyncio.wait_for(rendered(stub, job.id), 60)
            assert ended.output is not None
            video = await downloaded(stub, job.id, part=pb.OUTPUT_PART_VIDEO)
            rest = await downloaded(stub, job.id, offset=1000, part=pb.OUTPUT_PART_VIDEO)
            lines = await downloaded(stub, job.id, part=pb.OUTPUT_PART_MANIFEST)

    assert sorted(renderer.rendered) == [FrameRange(10 * k, 10 * k + 10) for k in range(4)]
    assert hashlib.sha256(video).hexdigest() == ended.output.sha256
    assert rest == video[1000:]
    assert len(lines.splitlines()) == 40
    assert not [name for name in files(second_dir) if name.startswith(("outputs/", "chunks/"))]
    tops = [key.partition("/")[0] for key in await keys(s3, tmp_path)]
    assert tops == ["blobs", "bundles", "outputs", "outputs"]


async def test_workers_bring_their_chunks_to_the_store_and_the_coordinator_notes_them(
    s3: str, tmp_path: Path
) -> None:
    async with (
        running_worker(PictureRenderer()) as worker,
        running_coordinator([worker.address], tmp_path, artifacts=s3) as farm,
    ):
        job = await farm.jobs.create(a_spec(20, hang=15))
        await kept(s3, f"chunks/{job.id}/chunk-000000.json")
        found = await keys(s3, tmp_path)
    assert f"chunks/{job.id}/uploads/000000-0-1.mp4" in found
    assert f"chunks/{job.id}/chunk-000000.mp4" not in found


async def test_where_artifacts_are_kept_does_not_show_in_the_bytes(s3: str, tmp_path: Path) -> None:
    found = set[str]()
    async with running_worker(PictureRenderer()) as worker:
        for name, url in (("plain", ""), ("s3", s3), ("folder", f"file://{tmp_path}/kept")):
            (tmp_path / name).mkdir()
            async with (
                running_coordinator([worker.address], tmp_path / name, artifacts=url) as farm,
                grpc.aio.insecure_channel(farm.address) as channel,
            ):
                stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
                job = await farm.jobs.create(a_spec(30))
                ended = await asyncio.wait_for(rendered(stub, job.id), 60)
                video = await downloaded(stub, job.id, part=pb.OUTPUT_PART_VIDEO)
            assert ended.state is JobState.SUCCEEDED
            found.add(hashlib.sha256(video).hexdigest())

    assert len(found) == 1


async def test_pictures_of_a_torn_seam_come_from_the_store(s3: str, tmp_path: Path) -> None:
    async with (
        running_worker(PictureRenderer(spoils=1_000)) as spoiling,
        running_worker(PictureRenderer()) as worker,
        running_coordinator([spoiling.address, worker.address], tmp_path, artifacts=s3) as farm,
        grpc.aio.insecure_channel(farm.address) as channel,
    ):
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        await all_serve(farm.fleet)
        job = await farm.jobs.create(a_spec(20, frame_s=0.02))
        ended = await asyncio.wait_for(rendered(stub, job.id), 60)
        assert ended.error is not None
        assert len(ended.error.pictures) == 3
        for picture in ended.error.pictures:
            request = pb.DownloadOutputRequest(
                job_id=job.id, part=pb.OUTPUT_PART_PICTURE, name=picture.name
            )
            data = b"".join([part.data async for part in stub.DownloadOutput(request)])
            assert hashlib.sha256(data).hexdigest() == picture.sha256
    assert not (tmp_path / "outputs").exists() or not files(tmp_path / "outputs")
