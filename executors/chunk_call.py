"""ChunkCall: one RenderChunk call, seen from the caller's side."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

import grpc.aio

from protos.framefarm.v1 import worker_pb2 as pb
from renderer.audio.passages import SOUNDS
from renderer.bundle import sha256_of
from renderer.picture import DIGEST_BYTES

from . import wire
from .base import ChunkResult, ChunkTask, Edges, OnProgress
from .errors import ChunkDamagedError
from .sound_transfer import bring_sounds
from .sound_wire import to_report
from .storage import storing
from .worker_call import WorkerCall

if TYPE_CHECKING:
    from pathlib import Path

    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub

    from .uploads import ChunkUploads


class ChunkCall(WorkerCall[ChunkResult]):
    """Has one attempt rendered by one worker, and takes the file in."""

    def __init__(
        self,
        task: ChunkTask,
        output: Path,
        *,
        worker: str,
        on_progress: OnProgress,
        uploads: ChunkUploads | None = None,
    ) -> None:
        super().__init__(task, worker=worker, on_progress=on_progress)
        self._output = output
        self._uploads = uploads

    async def run(self, stub: RenderWorkerAsyncStub) -> ChunkResult:
        """Make the call, and bring what was not sent: an uploaded file, what is heard of it.

        Raises:
            ExecutorError: and no file stays at the output.

        """
        result = await super().run(stub)
        is_whole = False
        try:
            with storing(self._output.parent):
                if result.artifact:
                    await self._fetch(result)
                if result.sounds is not None:
                    await bring_sounds(stub, result.sounds, self._output.with_name(SOUNDS))
            is_whole = True
        finally:
            if not is_whole:
                self._output.unlink(missing_ok=True)
        return result

    def _open(self, stub: RenderWorkerAsyncStub) -> Any:
        return stub.RenderChunk(timeout=self._time_left_s())

    async def _take(self, call: Any) -> ChunkResult:
        # Of this call alone: a coordinator that was followed may share the folder with its heir.
        part = self._output.with_name(f".{self._output.name}.{uuid4().hex}.part")
        try:
            with storing(part.parent), await asyncio.to_thread(part.open, "wb") as file:
                result = await self._take_file(call, file)
            if not result.artifact:
                part.replace(self._output)
        finally:
            part.unlink(missing_ok=True)
        return result

    async def _take_file(self, call: Any, file: IO[bytes]) -> ChunkResult:
        digest, size, completed = hashlib.sha256(), 0, None
        pictures, sounds = bytearray(), list[pb.Sounds]()
        edges = (bytearray(), bytearray())
        while (response := await call.read()) is not grpc.aio.EOF:
            match response.WhichOneof("step"):
                case "data":
                    data = response.data.data
                    size += len(data)
                    await asyncio.to_thread(_keep, data, file, digest)
                case "digests":
                    pictures += response.digests.xxh3_128
                case "sounds":
                    sounds.append(response.sounds)
                case "edge":
                    edges[response.edge.is_following].extend(response.edge.data)
                case "completed":
                    completed = response.completed
                case _:
                    self._tell(response)
        if completed is None or not completed.uploaded:
            completed = self._checked(completed, size, digest.hexdigest())
        self._check_digests(len(pictures))
        result = wire.to_result(
            completed, task=self.task, worker=self.worker, digests=bytes(pictures)
        )
        first, following = map(bytes, edges)
        return replace(
            result,
            sounds=to_report(sounds),
            edges=Edges(first=first, following=following),
            artifact=self._key() if completed.uploaded else "",
        )

    def _key(self) -> str:
        if self._uploads is None:
            raise ChunkDamagedError(
                f"chunk {self.task.index}: {self.worker} says that it has uploaded the file, but "
                "nobody asked for that"
            )
        return self._uploads.key(self.task)

    async def _fetch(self, result: ChunkResult) -> None:
        """Bring what the worker has uploaded, if it is that."""
        assert self._uploads is not None
        await self._uploads.fetch(self.task, self._output)
        size = (await asyncio.to_thread(self._output.stat)).st_size
        sha256 = await asyncio.to_thread(sha256_of, self._output)
        if (size, sha256) != (result.size_bytes, result.sha256):
            raise ChunkDamagedError(
                f"chunk {self.task.index} was uploaded as {size} bytes of sha256 {sha256[:12]}…, "
                f"but {self.worker} made {result.size_bytes} of {result.sha256[:12]}…"
            )

    def _checked(self, completed: pb.Completed | None, size: int, sha256: str) -> pb.Completed:
        told = None if completed is None else (completed.size_bytes, completed.sha256)
        if completed is None or told != (size, sha256):
            raise ChunkDamagedError(
                f"chunk {self.task.index} came as {size} bytes of sha256 {sha256[:12]}…, "
                f"but {self.worker} sent {told or 'no summary'}"
            )
        return completed

    def _check_digests(self, size: int) -> None:
        wanted = DIGEST_BYTES * len(self.task.frames)
        if size not in (0, wanted):
            raise ChunkDamagedError(
                f"chunk {self.task.index}: {self.worker} sent {size} bytes of frame digests, "
                f"{len(self.task.frames)} frames have {wanted}"
            )


def _keep(data: bytes, file: IO[bytes], digest: Any) -> None:
    digest.update(data)
    file.write(data)
