"""WorkerCall: a conversation with a worker that can be stopped, seen from the caller's side."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import grpc.aio

from protos.framefarm.v1 import worker_pb2 as pb

from . import wire
from .base import ChunkTask, FramesDone, OnProgress, PageLog
from .status import error_of

if TYPE_CHECKING:
    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub

T = TypeVar("T")

log = logging.getLogger(__name__)

# A worker answers an abort when its browser and ffmpeg are gone, within a second; one that does
# not is hung, and its call is cut.
ABORT_GRACE_S: Final = 3.0


class WorkerCall(ABC, Generic[T]):
    """Has one attempt at a task made by one worker.

    Cancelled, it asks the worker to abort and waits for the acknowledgement before it lets the
    cancellation go on.
    """

    def __init__(self, task: ChunkTask, *, worker: str, on_progress: OnProgress) -> None:
        self.task = task
        self.worker = worker
        self._on_progress = on_progress

    async def run(self, stub: RenderWorkerAsyncStub) -> T:
        """Make the call and return what the worker gave.

        Raises:
            ExecutorError: with all that the worker, or the way to it, had to say.

        """
        call = self._open(stub)
        # A task of its own, outside of any group: grpc.aio cuts a call whose reader is cancelled,
        # and a call that is cut cannot carry an abort and its acknowledgement any more.
        taking = asyncio.create_task(self._converse(call), name=f"take-chunk-{self.task.index}")
        try:
            await asyncio.wait([taking])
        finally:
            try:
                if not taking.done():
                    await self._abort(call, taking)
            finally:
                call.cancel()
        return taking.result()

    @abstractmethod
    def _open(self, stub: RenderWorkerAsyncStub) -> Any:
        """Begin the call."""

    @abstractmethod
    async def _take(self, call: Any) -> T:
        """Take in all that the worker answers to the task."""

    def _tell(self, response: pb.RenderChunkResponse) -> None:
        match response.WhichOneof("step"):
            case "progress":
                self._on_progress(FramesDone(response.progress.frames))
            case "log":
                self._on_progress(PageLog(response.log.level, response.log.text))
            case _:  # accepted, or what a newer worker says
                pass

    async def _converse(self, call: Any) -> T:
        try:
            await call.write(pb.RenderChunkRequest(task=wire.from_task(self.task)))
            return await self._take(call)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.InvalidStateError:  # written to a call that has ended
            raise error_of(await _ended(call)) from None

    async def _abort(self, call: Any, taking: asyncio.Task[T]) -> None:
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

    def _fields(self) -> dict[str, object]:
        return {
            "job_id": self.task.job_id,
            "chunk": self.task.index,
            "attempt": self.task.attempt,
            "worker": self.worker,
        }


async def _ended(call: Any) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        await call.details(),
    )
