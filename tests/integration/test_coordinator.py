"""A coordinator and its workers over real gRPC, driven by the generated stubs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from coordinator import wire
from coordinator.job import AudioTrack, Job, JobSpec, JobState
from coordinator.stores.sqlite import open_sqlite_store
from executors.transfer import send_bundle
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.bundle import manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from serving.status import read
from tests.support.eventually import eventually
from tests.support.farm import (
    TestCoordinator,
    all_asked,
    all_serve,
    running_coordinator,
    running_worker,
)
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_bundle, a_spec


@asynccontextmanager
async def a_farm(
    folder: Path, *renderers: PictureRenderer, **options: Any
) -> AsyncGenerator[tuple[Any, TestCoordinator]]:
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(running_worker(renderer, name=f"w{number}"))
            for number, renderer in enumerate(renderers)
        ]
        addresses = [worker.address for worker in workers] or ["127.0.0.1:1"]
        coordinator = await stack.enter_async_context(
            running_coordinator(addresses, folder, **options)
        )
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(coordinator.address))
        yield coordinator_pb2_grpc.RenderCoordinatorStub(channel), coordinator


async def create(stub: Any, spec: JobSpec, request_id: str = "") -> Job:
    request = pb.CreateJobRequest(spec=wire.from_spec(spec), request_id=request_id)
    return wire.to_job(await stub.CreateJob(request))


async def watched(stub: Any, job_id: str, after: int = 0) -> list[pb.JobEvent]:
    request = pb.WatchJobRequest(job_id=job_id, after_sequence=after)
    return [event async for event in stub.WatchJob(request)]


async def downloaded(stub: Any, job_id: str, **asked: Any) -> bytes:
    call = stub.DownloadOutput(pb.DownloadOutputRequest(job_id=job_id, **asked))
    return b"".join([response.data async for response in call])


async def frames_of(stub: Any, job: Job) -> list[dict[str, Any]]:
    lines = await downloaded(stub, job.id, part=pb.OUTPUT_PART_MANIFEST)
    return [json.loads(line) for line in lines.splitlines()]


async def job_of(stub: Any, job_id: str) -> Job:
    return wire.to_job(await stub.GetJob(pb.GetJobRequest(job_id=job_id)))


async def test_a_job_is_created_watched_and_downloaded(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer(), PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(30))
        events = await watched(stub, job.id)
        done = await job_of(stub, job.id)
        call = stub.DownloadOutput(pb.DownloadOutputRequest(job_id=job.id))
        data = b"".join([part.data async for part in call])

    states = [e.state_changed.state for e in events if e.HasField("state_changed")]
    progress = [e.progress_made.frames_done for e in events if e.HasField("progress_made")]
    (tmp_path / "video.mp4").write_bytes(data)
    assert states == [
        pb.JOB_STATE_QUEUED,
        pb.JOB_STATE_RENDERING,
        pb.JOB_STATE_ASSEMBLING,
        pb.JOB_STATE_SUCCEEDED,
    ]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert progress == sorted(progress)
    assert progress[-1] == 30
    assert done.output is not None
    assert done.output.size_bytes == len(data)
    assert decode_frame_numbers(tmp_path / "video.mp4") == list(range(30))


async def test_one_worker_or_two_make_the_same_bytes_of_the_same_frames(tmp_path: Path) -> None:
    digests, manifests = [], []
    for count in (1, 2):
        renderers = [PictureRenderer() for _ in range(count)]
        async with a_farm(tmp_path / str(count), *renderers) as (stub, coordinator):
            await all_serve(coordinator.fleet)
            job = await create(stub, a_spec(40, chunk_frames=7))
            await watched(stub, job.id)
            output = (await job_of(stub, job.id)).output
            assert output is not None
            digests.append(output.sha256)
            manifests.append(await frames_of(stub, job))

    assert digests[0] == digests[1]
    assert [row["frame"] for row in manifests[0]] == list(range(40))
    assert [row["chunk"] for row in manifests[0]] == [frame // 7 for frame in range(40)]
    assert len({row["digest"] for row in manifests[0]}) == 40
    assert {row["strategy"] for row in manifests[0]} == {"numbers: no browser is there"}
    assert [row["digest"] for row in manifests[1]] == [row["digest"] for row in manifests[0]]
    assert [len({row["worker"] for row in rows}) for rows in manifests] == [1, 2]


async def test_a_manifest_names_the_attempt_that_made_a_frame(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer(crashes=1)) as (stub, _):
        job = await create(stub, a_spec(20, crash=15))
        await watched(stub, job.id)

        rows = await frames_of(stub, job)

    assert [row["attempt"] for row in rows] == [1] * 10 + [2] * 10


async def test_a_manifest_is_what_the_jobs_output_says_and_may_be_asked_for_in_part(
    tmp_path: Path,
) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(10))
        await watched(stub, job.id)
        output = (await job_of(stub, job.id)).output
        whole = await downloaded(stub, job.id, part=pb.OUTPUT_PART_MANIFEST)
        rest = await downloaded(stub, job.id, part=pb.OUTPUT_PART_MANIFEST, offset=100)

    assert output is not None
    assert output.manifest is not None
    assert output.manifest.sha256 == hashlib.sha256(whole).hexdigest()
    assert output.manifest.size_bytes == len(whole)
    assert rest == whole[100:]


@pytest.mark.parametrize(
    ("part", "is_forgotten", "reason"),
    [(7, False, "INVALID_REQUEST"), (pb.OUTPUT_PART_MANIFEST, True, "NO_MANIFEST")],
)
async def test_a_part_that_is_not_there_is_refused(
    tmp_path: Path, part: int, is_forgotten: bool, reason: str
) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, coordinator):
        job = await create(stub, a_spec(10))
        await watched(stub, job.id)
        if is_forgotten:  # as a coordinator of an older version left it
            output = (await job_of(stub, job.id)).output
            assert output is not None
            await coordinator.store.append(job.id, [], output=replace(output, manifest=None))

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await downloaded(stub, job.id, part=part)

    assert read(caught.value).reason == reason


async def test_a_watcher_may_come_back_and_go_on_where_it_stopped(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(20))
        events = await watched(stub, job.id)

        again = await watched(stub, job.id, after=3)
        after_the_end = await watched(stub, job.id, after=len(events))

    assert again == events[3:]
    assert after_the_end == []


async def test_a_failed_job_tells_the_pages_own_words_and_stops_all_chunks(
    tmp_path: Path,
) -> None:
    renderers = [PictureRenderer() for _ in range(3)]
    async with a_farm(tmp_path, *renderers) as (stub, _):
        job = await create(stub, a_spec(90, chunk_frames=30, throw=45, frame_s=0.01))
        await watched(stub, job.id)
        failed = await job_of(stub, job.id)
        assert [renderer.running for renderer in renderers] == [[], [], []]

    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert failed.error.message == "Error: the page gave up at frame 45"
    assert failed.error.reason == "PAGE_ERROR"
    assert failed.error.detail == "at page.js:1:1"
    assert list((tmp_path / "outputs").iterdir()) == []


async def test_a_cancelled_job_has_stopped_everywhere_when_the_call_returns(
    tmp_path: Path,
) -> None:
    renderers = [PictureRenderer(), PictureRenderer()]
    async with a_farm(tmp_path, *renderers) as (stub, _):
        job = await create(stub, a_spec(40, chunk_frames=20, hang=5, frame_s=0.02))
        await eventually(lambda: all(renderer.running for renderer in renderers))

        cancelled = wire.to_job(await stub.CancelJob(pb.CancelJobRequest(job_id=job.id)))
        assert [renderer.running for renderer in renderers] == [[], []]
        again = wire.to_job(await stub.CancelJob(pb.CancelJobRequest(job_id=job.id)))

    assert cancelled.state is JobState.CANCELLED
    assert again == cancelled


async def test_a_job_that_still_waits_is_cancelled_at_once(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer(), most_running=1) as (stub, _):
        first = await create(stub, a_spec(10, hang=5))
        second = await create(stub, a_spec(10))

        cancelled = wire.to_job(await stub.CancelJob(pb.CancelJobRequest(job_id=second.id)))
        await stub.CancelJob(pb.CancelJobRequest(job_id=first.id))

    assert cancelled.state is JobState.CANCELLED


async def test_the_same_request_twice_makes_one_job(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        first = await create(stub, a_spec(10), request_id="wish")
        second = await create(stub, a_spec(10), request_id="wish")
        listed = await stub.ListJobs(pb.ListJobsRequest())

    assert first.id == second.id
    assert len(listed.jobs) == 1


async def test_jobs_are_listed_page_by_page(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        ids = [(await create(stub, a_spec(10))).id for _ in range(3)]
        first = await stub.ListJobs(pb.ListJobsRequest(page_size=2))
        second = await stub.ListJobs(
            pb.ListJobsRequest(page_size=2, page_token=first.next_page_token)
        )

    assert [job.id for job in (*first.jobs, *second.jobs)] == ids[::-1]
    assert second.next_page_token == ""


async def test_a_folder_is_uploaded_and_rendered(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<h1>hello</h1>")
    manifest = manifest_of(page)
    paths = {file.sha256: page / file.path for file in manifest.files}
    async with a_farm(tmp_path / "data", PictureRenderer()) as (stub, _):
        digest = await send_bundle(stub, manifest, paths.__getitem__)
        job = await create(stub, a_spec(10, composition=BundleEntry(digest)))
        await watched(stub, job.id)

        assert (await job_of(stub, job.id)).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("spec", "code", "reason", "field"),
    [
        (
            a_spec(10, composition=BundleEntry("0" * 64)),
            grpc.StatusCode.FAILED_PRECONDITION,
            "BUNDLE_MISSING",
            None,
        ),
        (pb.JobSpec(), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "composition"),
    ],
)
async def test_a_wrong_job_is_refused_before_it_is_one(
    tmp_path: Path, spec: Any, code: grpc.StatusCode, reason: str, field: str | None
) -> None:
    message = wire.from_spec(spec) if isinstance(spec, JobSpec) else spec
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CreateJob(pb.CreateJobRequest(spec=message))
        listed = await stub.ListJobs(pb.ListJobsRequest())

    status = read(caught.value)
    assert (status.code, status.reason) == (code, reason)
    assert [name for name, _ in status.violations] == ([field] if field else [])
    assert list(listed.jobs) == []


async def test_files_that_the_bundle_does_not_hold_are_named(tmp_path: Path) -> None:
    async with a_farm(tmp_path / "data", PictureRenderer()) as (stub, coordinator):
        entry = a_bundle(coordinator.bundles, tmp_path / "page")
        absent = replace(a_spec(10), composition=BundleEntry(entry.digest, "other.html"))
        silent = replace(a_spec(10), audio=(AudioTrack(source=entry, offset_s=Fraction(0)),))
        problems: list[tuple[str, str]] = []
        for spec in (absent, silent):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await create(stub, spec)
            problems += read(caught.value).violations

    assert problems[0] == ("composition", "the bundle holds no other.html")
    assert problems[1][0] == "audio[0]"
    assert "index.html" in problems[1][1]


@pytest.mark.parametrize("method", ["GetJob", "CancelJob", "WatchJob", "DownloadOutput"])
async def test_an_unknown_job_is_not_found(tmp_path: Path, method: str) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        call = getattr(stub, method)(getattr(pb, f"{method}Request")(job_id="nobody"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await (call.read() if method in ("WatchJob", "DownloadOutput") else call)

    assert read(caught.value).reason == "JOB_NOT_FOUND"


async def test_there_is_nothing_to_download_before_the_end(tmp_path: Path) -> None:
    async with a_farm(tmp_path, PictureRenderer()) as (stub, _):
        job = await create(stub, a_spec(10, hang=5))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.DownloadOutput(pb.DownloadOutputRequest(job_id=job.id)).read()

    assert read(caught.value).reason == "JOB_NOT_SUCCEEDED"


async def test_workers_are_listed_with_what_is_wrong_with_them(tmp_path: Path) -> None:
    async with (
        running_worker(PictureRenderer(), slots=2) as worker,
        running_coordinator([worker.address, "127.0.0.1:1"], tmp_path) as coordinator,
        grpc.aio.insecure_channel(coordinator.address) as channel,
    ):
        stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
        await all_asked(coordinator.fleet)
        listed = await stub.ListWorkers(pb.ListWorkersRequest())

    dead, living = sorted(listed.workers, key=lambda row: row.slots)
    assert (living.state, living.free_slots) == (pb.WORKER_STATE_READY, 2)
    assert dead.state == pb.WORKER_STATE_UNREACHABLE
    assert "UNAVAILABLE" in dead.problem


async def test_a_coordinator_that_starts_again_goes_on_with_what_it_left(
    tmp_path: Path,
) -> None:
    renderer = PictureRenderer()
    async with running_worker(renderer) as worker:
        async with running_coordinator([worker.address], tmp_path) as first:
            (tmp_path / "outputs" / ".half-joined-by-a-killed-process").mkdir()
            (tmp_path / "chunks" / "of-a-job-that-has-ended").mkdir()
            job = await first.jobs.create(a_spec(40, frame_s=0.03))
            note = tmp_path / "chunks" / job.id / "chunk-000001.json"
            await eventually(lambda: note.exists() and bool(renderer.running))
        assert renderer.running == []
        assert (await _state(tmp_path, job.id)) is JobState.RENDERING

        async with (
            running_coordinator([worker.address], tmp_path) as second,
            grpc.aio.insecure_channel(second.address) as channel,
        ):
            stub: Any = coordinator_pb2_grpc.RenderCoordinatorStub(channel)
            events = await asyncio.wait_for(watched(stub, job.id), 60)

    states = [e.state_changed.state for e in events if e.HasField("state_changed")]
    assert states[:3] == [pb.JOB_STATE_QUEUED, pb.JOB_STATE_RENDERING, pb.JOB_STATE_QUEUED]
    assert states[-1] == pb.JOB_STATE_SUCCEEDED
    outputs = sorted(path.name for path in (tmp_path / "outputs").iterdir())
    assert outputs == [f"{job.id}.manifest.jsonl", f"{job.id}.mp4"]
    assert decode_frame_numbers(tmp_path / "outputs" / f"{job.id}.mp4") == list(range(40))
    assert sorted(renderer.rendered) == [FrameRange(10 * k, 10 * k + 10) for k in range(4)]
    assert list((tmp_path / "chunks").iterdir()) == []


async def _state(folder: Path, job_id: str) -> JobState:
    async with open_sqlite_store(folder / "jobs.sqlite") as store:
        return (await store.get(job_id)).state
