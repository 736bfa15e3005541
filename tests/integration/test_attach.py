"""Attempts that outlive the call that began them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from executors.attach_call import AttachCall
from executors.base import ChunkEvent, ChunkTask, FramesDone
from executors.chunk_call import ChunkCall
from executors.errors import (
    AttemptNotFoundError,
    ChunkAbortedError,
    StaleTermError,
    WorkerBusyError,
    WorkerLostError,
)
from executors.status import ABANDONED, DRAINING, JOB_OVERDUE
from protos.framefarm.v1 import worker_pb2
from serving.channel import open_channel
from tests.support.eventually import eventually
from tests.support.farm import TestWorker
from tests.support.picture_renderer import PictureRenderer
from tests.support.tasks import a_task
from tests.support.tcp_proxy import tcp_proxy
from tests.support.worker_calls import a_request, dialled, info_of, received, stub_of
from worker.attempt import DETACH_S

HANGS = '{"hang": 25}'


def attach_to(
    task: ChunkTask, output: Path, *, caller_term: int = 0, events: list[ChunkEvent] | None = None
) -> AttachCall:
    hear = [] if events is None else events
    return AttachCall(task, output, worker="w", on_progress=hear.append, caller_term=caller_term)


def an_attach(**changes: Any) -> worker_pb2.AttachChunkRequest:
    given: dict[str, Any] = {"job_id": "job", "attempt": 1} | changes
    attach = worker_pb2.Attach(**given)
    return worker_pb2.AttachChunkRequest(attach=attach)


@asynccontextmanager
async def a_detached_attempt(
    renderer: PictureRenderer,
    *,
    props: str = HANGS,
    detach_s: float = DETACH_S,
    slots: int = 1,
    **changes: Any,
) -> AsyncGenerator[tuple[Any, TestWorker]]:
    """A worker with an attempt whose caller has hung up."""
    async with dialled(renderer, slots=slots, detach_s=detach_s) as (stub, _, worker):
        call = stub.RenderChunk()
        await call.write(a_request(props, **changes))
        await eventually(lambda: bool(renderer.running))
        call.cancel()
        yield stub, worker


async def reported(stub: Any) -> list[worker_pb2.RunningAttempt]:
    return list((await stub.GetWorker(worker_pb2.GetWorkerRequest())).attempts)


async def test_a_render_whose_connection_was_cut_is_taken_up_and_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    gate, events, more = asyncio.Semaphore(0), list[ChunkEvent](), list[ChunkEvent]()
    renderer, task = PictureRenderer(gate=gate), replace(a_task(0, 40), term=2)
    async with (
        dialled(renderer) as (stub, _, worker),
        tcp_proxy(worker.address) as proxy,
        open_channel(proxy.address) as through_proxy,
    ):
        broken = ChunkCall(task, tmp_path / "a.mp4", worker="w", on_progress=events.append)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(_failure(broken.run(stub_of(through_proxy))))
            await eventually(lambda: FramesDone(39) in events)
            proxy.cut()
        (left,) = await reported(stub)
        gate.release()
        result = await attach_to(task, tmp_path / "a.mp4", caller_term=3, events=more).run(stub)
        gate.release()
        undisturbed = ChunkCall(
            replace(task, term=3, attempt=2), tmp_path / "b.mp4", worker="w", on_progress=print
        )
        expected = await undisturbed.run(stub)

    assert isinstance(running.result(), WorkerLostError)
    assert ((left.term, left.attempt), left.finished) == ((2, 1), False)
    assert left.frames == 39
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert result.sha256 == expected.sha256
    assert len(renderer.rendered) == 2  # and not three
    frames = [event.done for event in more if isinstance(event, FramesDone)]
    assert frames[0] >= left.frames
    assert frames[-1] == 40


async def test_an_attempt_that_nobody_takes_up_stops_by_itself() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer, detach_s=0.3) as (stub, worker):
        assert worker.attempts.free_slots == 0
        (attempt,) = worker.attempts.running
        await eventually(lambda: worker.attempts.free_slots == 1)
        why = attempt.released.result()
        assert await reported(stub) == []

    assert isinstance(why, ChunkAbortedError)
    assert why.reason == ABANDONED
    assert renderer.running == []


async def test_a_finished_attempt_is_kept_for_a_caller_who_has_part_of_it_already() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer, props='{"frame_s": 0.02}') as (stub, worker):
        await eventually(lambda: worker.attempts.running[0].is_finished)
        (told,) = await reported(stub)
        beyond = stub.AttachChunk()
        await beyond.write(an_attach(offset=1 << 30))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(beyond)
        call = stub.AttachChunk()
        await call.write(an_attach(offset=100))
        responses = await received(call)
        left = worker.attempts.running

    assert (told.finished, told.frames) == (True, 10)
    assert info_of(caught.value).reason == "INVALID_REQUEST"
    size = sum(len(response.data.data) for response in responses)
    assert size == responses[-1].completed.size_bytes - 100
    assert left == []


async def test_what_a_finished_attempt_failed_of_is_told_to_who_takes_it_up() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer, props='{"frame_s": 0.02, "throw": 25}') as (
        stub,
        worker,
    ):
        await eventually(lambda: worker.attempts.running[0].is_finished)
        call = stub.AttachChunk()
        await call.write(an_attach())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(call)

    assert info_of(caught.value).reason == "PAGE_ERROR"
    assert worker.attempts.running == []


async def test_a_newer_attempt_ends_one_that_runs_for_nobody() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer) as (stub, worker):
        newer = stub.RenderChunk()
        await newer.write(a_request(attempt=2))
        responses = await received(newer)

        assert worker.attempts.running == []
    assert responses[-1].completed.frames == 10


async def test_only_the_leading_coordinator_may_take_an_attempt_up(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    task = replace(a_task(), term=2)
    async with a_detached_attempt(renderer, slots=2, term=2) as (stub, worker):
        other = stub.RenderChunk()
        await other.write(a_request(term=3, index=1))
        await received(other)

        with pytest.raises(StaleTermError):
            await attach_to(task, tmp_path / "a.mp4", caller_term=2).run(stub)
        unknown = replace(task, attempt=2)
        with pytest.raises(AttemptNotFoundError):
            await attach_to(unknown, tmp_path / "a.mp4", caller_term=3).run(stub)
        assert len(worker.attempts.running) == 1
    assert list(tmp_path.iterdir()) == []


async def test_the_latest_caller_has_the_attempt_and_may_abort_it() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer) as (stub, worker):
        first, second = stub.AttachChunk(), stub.AttachChunk()
        await first.write(an_attach())
        assert (await first.read()).WhichOneof("step") == "accepted"
        await second.write(an_attach())
        with pytest.raises(grpc.aio.AioRpcError) as lost:
            while await first.read() is not grpc.aio.EOF:
                pass
        abort = worker_pb2.Abort(reason="enough")
        await second.write(worker_pb2.AttachChunkRequest(abort=abort))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await received(second)

        assert (renderer.running, worker.attempts.running) == ([], [])
    assert info_of(lost.value).reason == "TAKEN_OVER"
    assert (info_of(ended.value).reason, ended.value.details()) == ("ABORTED", "enough")


async def test_the_end_of_a_job_ends_what_still_runs_of_it() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer) as (stub, worker):
        await stub.EndJob(worker_pb2.EndJobRequest(job_id="another"))
        assert len(renderer.running) == 1

        await stub.EndJob(worker_pb2.EndJobRequest(job_id="job"))

        assert (renderer.running, worker.attempts.running) == ([], [])


async def test_a_drain_ends_what_runs_for_nobody_and_keeps_what_has_finished() -> None:
    renderer = PictureRenderer()
    async with a_detached_attempt(renderer, slots=2) as (stub, worker):
        done = stub.RenderChunk()
        await done.write(a_request('{"frame_s": 0.01}', index=1))
        await eventually(lambda: len(renderer.running) == 2)
        done.cancel()
        await eventually(lambda: any(each.is_finished for each in worker.attempts.running))
        hanging = next(each for each in worker.attempts.running if not each.is_finished)
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.attempts.drain(600))
            await eventually(hanging.ended.is_set)
            call = stub.AttachChunk()
            await call.write(an_attach(chunk_index=1))
            responses = await received(call)

    why = hanging.released.result()
    assert isinstance(why, WorkerBusyError)
    assert why.reason == DRAINING
    assert responses[-1].completed.frames == 10


async def test_a_caller_who_hangs_up_while_a_worker_drains_ends_the_attempt() -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, worker):
        call = stub.RenderChunk()
        await call.write(a_request(HANGS))
        await eventually(lambda: bool(renderer.running))
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.attempts.drain(600))
            await eventually(lambda: worker.attempts.draining)

            call.cancel()

            await eventually(lambda: not renderer.running)


async def test_a_caller_whose_disk_fails_has_the_work_ended(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, worker):
        call = ChunkCall(a_task(), tmp_path / "absent" / "a.mp4", worker="w", on_progress=print)
        with pytest.raises(FileNotFoundError):
            await call.run(stub)

        await eventually(lambda: worker.attempts.free_slots == 1)


async def test_when_the_time_of_a_job_is_over_its_chunks_stop(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    async with dialled(renderer) as (stub, _, worker):
        task = replace(a_task(hang=5), ends_at_s=asyncio.get_running_loop().time() + 0.3)
        call = ChunkCall(task, tmp_path / "a.mp4", worker="w", on_progress=lambda _: None)
        with pytest.raises(ChunkAbortedError, match=r"job's time (is|was) over") as caught:
            await call.run(stub)

        await eventually(lambda: worker.attempts.free_slots == 1)
    assert caught.value.reason == JOB_OVERDUE
    assert renderer.running == []


class BigFiles(PictureRenderer):
    """Renders more than what is on its way to a caller who does not read."""

    async def render(self, *args: Any, **kwargs: Any) -> Any:
        chunk = await super().render(*args, **kwargs)
        with kwargs["output"].open("ab") as file:
            file.truncate(256 << 20)
        return chunk


async def test_a_caller_who_does_not_read_does_not_keep_the_attempt() -> None:
    async with dialled(BigFiles(), detach_s=0.5) as (stub, _, worker):
        call = stub.RenderChunk()
        await call.write(a_request())
        await eventually(lambda: bool(worker.attempts.running))
        (attempt,) = worker.attempts.running
        await eventually(lambda: worker.attempts.running == [])
        why = attempt.released.result()
        call.cancel()

    assert isinstance(why, ChunkAbortedError)
    assert why.reason == ABANDONED


async def _failure(work: Any) -> Exception | None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  # it is looked at
        return error
    return None
