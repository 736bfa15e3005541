"""Which callers and which attempts a worker obeys."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from protos.framefarm.v1 import worker_pb2
from tests.support.eventually import eventually
from tests.support.picture_renderer import PictureRenderer
from tests.support.worker_calls import a_request, dialled, info_of, received

HANGS = '{"hang": 25}'


async def test_a_later_term_takes_the_place_of_a_higher_attempt() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, _worker):
        older = stub.RenderChunk()
        await older.write(a_request(HANGS, term=3, attempt=7))
        await eventually(lambda: bool(renderer.running))

        newer = stub.RenderChunk()
        await newer.write(a_request(term=4, attempt=1))
        responses = await received(newer)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(older)

    assert responses[-1].completed.frames == 10
    assert info_of(caught.value).reason == "SUPERSEDED"


async def test_a_coordinator_of_an_older_term_gets_no_chunk_and_ends_no_job() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer, slots=3) as (stub, _, _worker):
        leading = stub.RenderChunk()
        await leading.write(a_request(HANGS, term=4))
        await eventually(lambda: bool(renderer.running))

        stale = stub.RenderChunk()
        await stale.write(a_request(term=3, attempt=9, index=1))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await received(stale)
        with pytest.raises(grpc.aio.AioRpcError) as not_ended:
            await stub.EndJob(worker_pb2.EndJobRequest(job_id="job", term=3))
        by_hand = stub.RenderChunk()
        await by_hand.write(a_request(index=2))
        responses = await received(by_hand)
        told = await stub.GetWorker(worker_pb2.GetWorkerRequest())
        leading.cancel()

    for error in (refused.value, not_ended.value):
        assert error.code() is grpc.StatusCode.ABORTED
        assert info_of(error).reason == "STALE_TERM"
    assert responses[-1].completed.frames == 10
    assert [(row.term, row.attempt) for row in told.attempts] == [(4, 1)]
