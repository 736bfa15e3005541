"""A worker, driven by nothing but the generated stubs and the standard services."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from executors.grpc import connect_to
from protos.framefarm.v1 import render_pb2, worker_pb2
from renderer.bundle import BundleStore
from renderer.keeping import KeptPage, View
from renderer.settings import RenderSettings
from tests.support.eventually import eventually
from tests.support.farm import running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.worker_calls import a_request, dialled, info_of, received

SERVICE = "framefarm.v1.RenderWorker"


async def test_any_client_can_have_a_chunk_rendered(tmp_path: Path) -> None:
    async with dialled(PictureRenderer()) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(a_request())
        responses = await received(call)

    steps = [response.WhichOneof("step") for response in responses]
    data = b"".join(response.data.data for response in responses)
    completed = responses[-1].completed
    (tmp_path / "chunk.mp4").write_bytes(data)
    assert steps[0] == "accepted"
    assert {"progress", "log", "data"} <= set(steps)
    assert completed.frames == 10
    assert completed.sha256 == hashlib.sha256(data).hexdigest()
    assert decode_frame_numbers(tmp_path / "chunk.mp4") == list(range(20, 30))


async def test_an_abort_is_acknowledged_when_the_work_is_gone() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))

        abort = worker_pb2.Abort(reason="changed my mind")
        await call.write(worker_pb2.RenderChunkRequest(abort=abort))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

        assert renderer.running == []
    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert caught.value.details() == "changed my mind"
    assert info_of(caught.value).reason == "ABORTED"


async def test_a_caller_who_hangs_up_frees_the_slot_after_a_while() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer, detach_s=0.1) as (stub, _, worker):
        call = stub.RenderChunk()
        await call.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))

        call.cancel()

        await eventually(lambda: not renderer.running and worker.attempts.free_slots == 1)


async def test_a_full_worker_says_so_at_once() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, _worker):
        first = stub.RenderChunk()
        await first.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))

        second = stub.RenderChunk()
        await second.write(a_request(index=1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(second)
        first.cancel()

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info_of(caught.value).reason == "SLOTS_FULL"


async def test_a_newer_attempt_takes_the_place_of_an_older_one() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, _worker):
        older = stub.RenderChunk()
        await older.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))

        newer = stub.RenderChunk()
        await newer.write(a_request(attempt=2))
        responses = await received(newer)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(older)

    assert responses[-1].completed.frames == 10
    assert info_of(caught.value).reason == "SUPERSEDED"


async def test_an_older_attempt_is_refused_while_a_newer_one_runs() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer, slots=2) as (stub, _, _worker):
        newer = stub.RenderChunk()
        await newer.write(a_request('{"hang": 25}', attempt=2))
        await eventually(lambda: bool(renderer.running))

        older = stub.RenderChunk()
        await older.write(a_request(attempt=1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(older)
        newer.cancel()

    assert info_of(caught.value).reason == "SUPERSEDED"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (a_request("not json"), "props"),
        (a_request(frames=render_pb2.FrameRange(start=3, stop=3)), "frames"),
        (a_request(composition=render_pb2.Composition()), "composition"),
        (worker_pb2.RenderChunkRequest(abort=worker_pb2.Abort()), "task"),
    ],
)
async def test_a_wrong_request_is_refused_by_field(
    request_: worker_pb2.RenderChunkRequest, field: str
) -> None:
    async with dialled(PictureRenderer()) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(request_)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    wrong = error_details_pb2.BadRequest()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert status is not None
    assert status.details[1].Unpack(wrong)
    assert [violation.field for violation in wrong.field_violations] == [field]


async def test_a_chunk_of_an_absent_bundle_asks_for_the_upload() -> None:
    bundle = render_pb2.BundleEntry(digest="0" * 64)
    async with dialled(PictureRenderer()) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(a_request(composition=render_pb2.Composition(bundle=bundle)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert info_of(caught.value).reason == "BUNDLE_MISSING"


async def test_a_long_error_arrives_with_its_own_status() -> None:
    class Talkative(PictureRenderer):
        async def _frame(self, number: int, orders: dict[str, float]) -> None:
            raise RuntimeError("secret " * 10_000)

    async with dialled(Talkative()) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(a_request())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in (caught.value.details() or "")
    assert "incident" in (caught.value.details() or "")


async def test_a_worker_tells_what_it_is_and_what_it_runs() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer, slots=3) as (stub, _, _worker):
        call = stub.RenderChunk()
        await call.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))
        await eventually(lambda: _worker.attempts.running[0].frames_done == 5)
        told = await stub.GetWorker(worker_pb2.GetWorkerRequest())
        call.cancel()

    assert (told.slots, told.free_slots, told.fingerprint) == (3, 2, "pictures")
    assert [(row.job_id, row.attempt, row.frames) for row in told.attempts] == [("job", 1, 5)]
    assert told.cpus > 0
    assert told.memory_bytes > 1 << 26


async def test_a_worker_that_starts_again_tells_that_it_is_another_one(tmp_path: Path) -> None:
    told: list[str] = []
    address = "127.0.0.1:0"
    for _ in range(2):
        async with running_worker(PictureRenderer(), listen=address) as worker:
            port = connect_to(BundleStore(tmp_path))(worker.address)
            told += [(await port.ask()).instance, (await port.ask()).instance]
            await port.close()
            address = worker.address

    assert told[0] == told[1] != ""
    assert told[2] == told[3] not in ("", told[0])


async def test_a_worker_tells_which_pages_stand_open() -> None:
    key = View(url="http://a.example/", settings=RenderSettings(), series="job").key
    renderer = PictureRenderer(pages=(KeptPage(key=key, from_frame=30),))
    async with dialled(renderer) as (stub, _, _worker):
        told = await stub.GetWorker(worker_pb2.GetWorkerRequest())

        await stub.EndJob(worker_pb2.EndJobRequest(job_id="another"))
        await stub.EndJob(worker_pb2.EndJobRequest(job_id="another"))
        assert len(renderer.pages) == 1
        await stub.EndJob(worker_pb2.EndJobRequest(job_id="job"))

    assert [(page.job_id, page.from_frame) for page in told.warm_pages] == [("job", 30)]
    assert len(renderer.pages) == 0


async def test_draining_finishes_what_runs_and_takes_nothing_new() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer, slots=2) as (stub, channel, worker):
        running = stub.RenderChunk()
        await running.write(a_request('{"frame_s": 0.05}'))
        await eventually(lambda: bool(renderer.running))
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.attempts.drain(10))
            await eventually(lambda: worker.attempts.draining)
            await worker.server.say_not_serving()
            refused = stub.RenderChunk()
            await refused.write(a_request(index=1))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await received(refused)
            health = health_pb2_grpc.HealthStub(channel)
            check: Any = health.Check  # type: ignore[attr-defined]
            answer = await check(health_pb2.HealthCheckRequest(service=SERVICE))
            responses = await received(running)

    assert info_of(caught.value).reason == "DRAINING"
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert responses[-1].completed.frames == 10


async def test_draining_hands_back_what_takes_too_long() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, worker):
        call = stub.RenderChunk()
        await call.write(a_request('{"hang": 25}'))
        await eventually(lambda: bool(renderer.running))

        await worker.attempts.drain(0)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

    assert caught.value.code() is grpc.StatusCode.ABORTED
    assert info_of(caught.value).reason == "DRAINING"


async def test_reflection_lists_the_worker_service() -> None:
    async with dialled(PictureRenderer()) as (_, channel, _worker):
        dial: Any = reflection_pb2_grpc.ServerReflectionStub  # the stubs know sync channels only
        stub = dial(channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await call.read()
        call.cancel()

    names = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= names
