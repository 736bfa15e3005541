"""Workers that render nothing: real gRPC, and always the same chunk file. Many fit in a process.

As a program it serves COUNT of them and prints their addresses as a line of JSON. The props of a
job are orders: `frame_s` is how long a frame takes, `slow` how many times as long on worker 0. When
its standard input closes it ends, and prints when how many frames of each job had been made.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from executors import wire
from executors.base import ChunkTask, FramesDone
from executors.status import status_of
from protos.framefarm.v1 import worker_pb2 as pb
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.settings import History, RenderSettings
from serving.server import Service, open_server
from worker.outbox import Outbox

from .chunks import encode
from .pictures import HEIGHT_PX, WIDTH_PX, numbered_picture

FINGERPRINT = "canned"
# A worker that renders tells every frame; a hundred of these in one process tell some.
TOLD_S = 0.033


@dataclass
class Can:
    """A chunk file, and what became of it."""

    data: bytes
    frames: int
    sha256: str = ""
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    made: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    rendered: int = 0

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.data).hexdigest()

    def more(self, job_id: str, frames: int) -> None:
        """Note that so many more frames of a job are made, and when."""
        self.done[job_id] += frames
        self.made[job_id].append((time.monotonic(), self.done[job_id]))


def canned_settings(**orders: float) -> RenderSettings:
    """What a job for these workers must ask for."""
    return RenderSettings(
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        preset="ultrafast",
        history=History.SEEKABLE,  # nobody is there to be probed
        props_json=json.dumps(orders),
    )


async def can_of(frames: int) -> Can:
    """Encode a chunk of so many frames, once."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = [numbered_picture(number) for number in range(frames)]
        path = await encode(pictures, Path(folder, "chunk.mp4"), canned_settings())
        return Can(await asyncio.to_thread(path.read_bytes), frames)


class CannedWorker(worker_pb2_grpc.RenderWorkerServicer):
    """Answers as a worker does, with what is in the can."""

    def __init__(self, name: str, can: Can, *, slots: int, is_first: bool) -> None:
        self._name = name
        self._can = can
        self._slots = slots
        self._is_first = is_first
        self._running = dict[int, ChunkTask]()

    async def GetWorker(self, request: pb.GetWorkerRequest, context: Any) -> pb.GetWorkerResponse:  # noqa: N802
        del request, context
        return pb.GetWorkerResponse(
            name=self._name,
            version="canned",
            fingerprint=FINGERPRINT,
            slots=self._slots,
            free_slots=self._slots - len(self._running),
            attempts=[
                pb.RunningAttempt(
                    job_id=task.job_id, chunk_index=task.index, attempt=task.attempt, term=task.term
                )
                for task in self._running.values()
            ],
        )

    async def EndJob(self, request: pb.EndJobRequest, context: Any) -> pb.EndJobResponse:  # noqa: N802
        del request, context
        return pb.EndJobResponse()

    async def RenderChunk(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]  # noqa: N802
        del request_iterator
        task = wire.to_task((await context.read()).task)
        accepted = pb.Accepted(worker=self._name, fingerprint=FINGERPRINT)
        await context.write(pb.RenderChunkResponse(accepted=accepted))
        self._running[id(task)] = task
        work = asyncio.create_task(self._work(task, context))
        abort = asyncio.create_task(context.read())
        try:
            await asyncio.wait([work, abort], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await context.abort(grpc.StatusCode.ABORTED, "aborted")
        finally:
            del self._running[id(task)]
            for each in (work, abort):
                each.cancel()
            await asyncio.wait([work, abort])
        work.result()
        await self._send(context, len(task.frames))

    async def _work(self, task: ChunkTask, context: Any) -> None:
        orders = json.loads(task.settings.props_json)
        frame_s = orders.get("frame_s", 0.0) * (orders.get("slow", 1.0) if self._is_first else 1.0)
        outbox = Outbox()
        telling = asyncio.create_task(outbox.send(context.write))
        try:
            await self._frames(task, frame_s, outbox)
        finally:
            outbox.close()
            await telling

    async def _frames(self, task: ChunkTask, frame_s: float, outbox: Outbox) -> None:
        loop, done, total = asyncio.get_running_loop(), 0, len(task.frames)
        begun_s = loop.time()
        step = max(1, round(TOLD_S / frame_s)) if frame_s else total
        while done < total:
            more = min(step, total - done)
            await asyncio.sleep(begun_s + (done + more) * frame_s - loop.time())
            done += more
            self._can.more(task.job_id, more)
            outbox.put(FramesDone(done))

    async def _send(self, context: Any, frames: int) -> None:
        can = self._can
        assert frames == can.frames, f"a chunk of {frames} frames is asked for, {can.frames} are in"
        can.rendered += 1
        await context.write(pb.RenderChunkResponse(data=pb.Data(data=can.data)))
        completed = pb.Completed(
            frames=frames,
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            size_bytes=len(can.data),
            sha256=can.sha256,
            fingerprint=FINGERPRINT,
        )
        await context.write(pb.RenderChunkResponse(completed=completed))


@asynccontextmanager
async def canned_workers(count: int, can: Can, *, slots: int = 1) -> AsyncGenerator[list[str]]:
    """Serve so many workers, each at an address of its own."""
    addresses: list[str] = []
    async with AsyncExitStack() as stack:
        for number in range(count):
            # The other methods answer that they are not there.
            worker = CannedWorker(  # type: ignore[abstract]
                f"canned-{number}", can, slots=slots, is_first=number == 0
            )
            add = partial(worker_pb2_grpc.add_RenderWorkerServicer_to_server, worker)
            service = Service(name="framefarm.v1.RenderWorker", add=add)
            opening = open_server("127.0.0.1:0", [service], status_of=status_of)
            addresses.append((await stack.enter_async_context(opening)).address)
        yield addresses


async def _serve(count: int, frames: int, slots: int) -> None:
    can = await can_of(frames)
    async with canned_workers(count, can, slots=slots) as addresses:
        print(json.dumps(addresses), flush=True)
        with suppress(OSError):
            await asyncio.to_thread(sys.stdin.read)
        print(json.dumps({"rendered": can.rendered, "made": can.made}), flush=True)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--frames", type=int, default=10, help="of each chunk")
    parser.add_argument("--slots", type=int, default=1, help="of each worker")
    asked = parser.parse_args()
    asyncio.run(_serve(asked.count, asked.frames, asked.slots))


if __name__ == "__main__":
    _main()
