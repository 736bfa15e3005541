"""ChunkCall: one RenderChunk call, seen from the caller's side."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import IO, TYPE_CHECKING, Any, Final

import grpc.aio

from protos.framefarm.v1 import worker_pb2 as pb

from . import wire
from .base import ChunkResult, ChunkTask, FramesDone, OnProgress, PageLog
from .errors import ChunkDamagedError
from .status import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub

log = logging.getLogger(__name__)

# A worker answers an abort when its browser and ffmpeg are gone, within a second; one that does
# not is hung, and its call is cut.
ABORT_GRACE_S: Final = 3.0


class ChunkCall:
    """Has one attempt rendered by one worker, and takes the file in.

    Cancelled, it asks the worker to abort and waits for the acknowledgement before it lets the
    cancellation go on.
    """

    def __init__(
        self, task: ChunkTask, output: Path, *, worker: str, on_progress: OnProgress
    ) -> None:
        self._task = task
        self._output = output
        self._worker = worker
        self._on_progress = on_progress

    async def run(self, stub: RenderWorkerAsyncStub) -> ChunkResult:
        """Render the chunk to the output.

        Raises:
            ExecutorError: with all that the worker, or the way to it, had to say.

        """
        call: Any = stub.RenderChunk()
        # A task of its own, outside of any group: grpc.aio cuts a call whose reader is cancelled,
        # and a call that is cut cannot carry an abort and its acknowledgement any more.
        taking = asyncio.create_task(self._take(call), name=f"take-chunk-{self._task.index}")
        try:
            await asyncio.wait([taking])
        finally:
            try:
                if not taking.done():
                    await self._abort(call, taking)
            finally:
                call.cancel()
        return taking.result()

    async def _abort(self, call: Any, taking: asyncio.Task[ChunkResult]) -> None:
        abort = pb.Abort(reason="the job was stopped")
        sending = asyncio.create_task(
            call.write(pb.RenderChunkRequest(abort=abort)), name="send-abort"
        )
        await asyncio.wait([sending, taking], timeout=ABORT_GRACE_S)
        if not taking.done():
            log.warning("abort not acknowledged", extra=self._fields())
        call.cancel()
        await asyncio.wait([sending, taking])
        for task in (sending, taking):
            if not task.cancelled():
                task.exception()  # looked at: it is the abort's consequence

    async def _take(self, call: Any) -> ChunkResult:
        part = self._output.with_name(f".{self._output.name}.part")
        try:
            await call.write(pb.RenderChunkRequest(task=wire.from_task(self._task)))
            with await asyncio.to_thread(part.open, "wb") as file:
                result = await self._take_file(call, file)
            part.replace(self._output)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.InvalidStateError:  # written to a call that has ended
            raise error_of(await _ended(call)) from None
        finally:
            part.unlink(missing_ok=True)
        return result

    async def _take_file(self, call: Any, file: IO[bytes]) -> ChunkResult:
        digest, size, completed = hashlib.sha256(), 0, None
        pictures = bytearray()
        while (response := await call.read()) is not grpc.aio.EOF:
            match response.WhichOneof("step"):
                case "data":
                    data = response.data.data
                    size += len(data)
                    await asyncio.to_thread(_keep, data, file, digest)
                case "digests":
                    pictures += response.digests.sha256
                case "completed":
                    completed = response.completed
                case _:
                    self._tell(response)
        completed = self._checked(completed, size, digest.hexdigest())
        self._check_digests(len(pictures))
        return wire.to_result(
            completed, task=self._task, worker=self._worker, digests=bytes(pictures)
        )

    def _tell(self, response: pb.RenderChunkResponse) -> None:
        match response.WhichOneof("step"):
            case "progress":
                self._on_progress(FramesDone(response.progress.frames))
            case "log":
                self._on_progress(PageLog(response.log.level, response.log.text))
            case _:  # accepted, or what a newer worker says
                pass

    def _checked(self, completed: pb.Completed | None, size: int, sha256: str) -> pb.Completed:
        told = None if completed is None else (completed.size_bytes, completed.sha256)
        if completed is None or told != (size, sha256):
            raise ChunkDamagedError(
                f"chunk {self._task.index} came as {size} bytes of sha256 {sha256[:12]}…, "
                f"but {self._worker} sent {told or 'no summary'}"
            )
        return completed

    def _check_digests(self, size: int) -> None:
        wanted = wire.DIGEST_BYTES * len(self._task.frames)
        if size not in (0, wanted):
            raise ChunkDamagedError(
                f"chunk {self._task.index}: {self._worker} sent {size} bytes of frame digests, "
                f"{len(self._task.frames)} frames have {wanted}"
            )

    def _fields(self) -> dict[str, object]:
        return {
            "job_id": self._task.job_id,
            "chunk": self._task.index,
            "attempt": self._task.attempt,
            "worker": self._worker,
        }


def _keep(data: bytes, file: IO[bytes], digest: Any) -> None:
    digest.update(data)
    file.write(data)


async def _ended(call: Any) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        await call.details(),
    )
