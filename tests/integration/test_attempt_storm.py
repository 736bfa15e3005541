"""Callers that begin, leave, come back, abort and supersede at random: nothing is left of it."""

from __future__ import annotations

import asyncio
import hashlib
import random
from typing import Any

import grpc.aio
import pytest

from executors.status import error_of
from protos.framefarm.v1 import worker_pb2 as pb
from renderer.events import Filmed, FramesDone
from renderer.renderer import RenderedChunk
from tests.support.eventually import eventually
from tests.support.picture_renderer import PictureRenderer
from tests.support.worker_calls import a_request, dialled

SLOTS = 3
CHUNKS = 4
CALLERS = 120
DETACH_S = 0.05
# What a caller may hear, beside having the chunk, and CANCELLED, which it did itself.
KNOWN = {
    "ABANDONED",
    "ABORTED",
    "ATTEMPT_NOT_FOUND",
    "BROWSER_LOST",
    "CANCELLED",
    "SLOTS_FULL",
    "STALE_TERM",
    "SUPERSEDED",
    "TAKEN_OVER",
}


class Sketches(PictureRenderer):
    """Writes files of some bytes, at once or a little later; some fail."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(crashes=CALLERS)
        self._chance = chance
        self.most_running = self.most_filming = 0

    async def render(self, *args: Any, **kwargs: Any) -> Any:
        _, frames = args
        self.running.append(frames)
        self.filming.append(frames)
        self.most_running = max(self.most_running, len(self.running))
        self.most_filming = max(self.most_filming, len(self.filming))
        is_filming = True
        try:
            for done in range(1, 4):
                await asyncio.sleep(self._chance.random() * 0.02)
                kwargs["on_event"](FramesDone(done))
            if self._chance.random() < 0.7:
                self.filming.remove(frames)
                is_filming = False
                kwargs["on_event"](Filmed())
                await asyncio.sleep(self._chance.random() * 0.05)
            await self._frame(0, {"crash": 0} if self._chance.random() < 0.1 else {})
            data = self._chance.randbytes(3000)
            await asyncio.to_thread(kwargs["output"].write_bytes, data)
        finally:
            self.running.remove(frames)
            if is_filming:
                self.filming.remove(frames)
        return RenderedChunk(
            frames=3,
            width_px=400,
            height_px=64,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            seconds=0.1,
        )


async def a_caller(stub: Any, chance: random.Random) -> str:
    """One that makes a call, and stays, aborts, or hangs up; returns how it ended."""
    chunk, term, attempt = chance.randrange(CHUNKS), chance.randrange(3), chance.randint(1, 30)
    if chance.random() < 0.5:
        call = stub.RenderChunk()
        first: Any = a_request(index=chunk, term=term, attempt=attempt)
        abort: Any = pb.RenderChunkRequest(abort=pb.Abort(reason="enough"))
    else:
        (shown,) = chance.sample(list(await attempts_of(stub)) or [pb.RunningAttempt()], 1)
        attach = pb.Attach(
            job_id=shown.job_id,
            chunk_index=shown.chunk_index,
            term=shown.term,
            attempt=shown.attempt,
            caller_term=term,
        )
        call = stub.AttachChunk()
        first = pb.AttachChunkRequest(attach=attach)
        abort = pb.AttachChunkRequest(abort=pb.Abort(reason="enough"))
    try:
        await call.write(first)
        leaving = asyncio.create_task(leave(call, abort, chance))
        try:
            return await heard(call)
        finally:
            leaving.cancel()
            await asyncio.wait([leaving])
    except grpc.aio.AioRpcError as error:
        # An abort that is written as its call ends is an "error from Core" on the caller's side.
        said_here = (error.details() or "").startswith("Internal error from Core")
        return "CANCELLED" if said_here else error_of(error).reason
    except (asyncio.CancelledError, asyncio.InvalidStateError):
        return "CANCELLED"
    finally:
        call.cancel()


async def leave(call: Any, abort: Any, chance: random.Random) -> None:
    way = chance.random()
    await asyncio.sleep(chance.random() * 0.08)
    if way < 0.3:
        call.cancel()
    elif way < 0.5:
        await call.write(abort)


async def heard(call: Any) -> str:
    data, told = b"", None
    while (response := await call.read()) is not grpc.aio.EOF:
        data += response.data.data
        told = response.completed if response.HasField("completed") else told
    assert told is not None
    assert told.sha256 == hashlib.sha256(data).hexdigest()
    return "COMPLETED"


async def attempts_of(stub: Any) -> Any:
    return (await stub.GetWorker(pb.GetWorkerRequest())).attempts


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_callers_do_slots_and_files_are_free_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    renderer = Sketches(random.Random(seed))
    async with dialled(renderer, slots=SLOTS, detach_s=DETACH_S) as (stub, _, worker):
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            callers = []
            for number in range(CALLERS):
                own = random.Random(chance.random())
                callers.append(group.create_task(a_caller(stub, own), name=f"caller-{number}"))
                await asyncio.sleep(chance.random() * 0.01)
                if chance.random() < 0.03:
                    await stub.EndJob(pb.EndJobRequest(job_id="job"))

        await eventually(lambda: worker.attempts.running == [])
        assert worker.attempts.free_slots == SLOTS
        chunk_files = list(worker.bundles.root.parent.glob("tmp*"))
    ends = {caller.result() for caller in callers}
    assert ends <= KNOWN | {"COMPLETED"}
    assert {"COMPLETED", "SUPERSEDED", "TAKEN_OVER", "STALE_TERM"} <= ends
    assert renderer.running == []
    assert renderer.most_filming <= SLOTS
    assert renderer.most_running <= 2 * SLOTS
    assert chunk_files == []
