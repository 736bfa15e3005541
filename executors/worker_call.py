"""WorkerCall: a conversation with a worker that can be stopped, seen from the caller's side."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import grpc.aio
from grpc import StatusCode

from protos.framefarm.v1 import worker_pb2 as pb

from . import wire
from .base import ChunkTask, Filmed, FramesDone, OnProgress, PageLog
from .errors import ChunkAbortedError, ExecutorError
from .status import JOB_OVERDUE, error_of
from .tasks import look_at

if TYPE_CHECKING:
    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub

T = TypeVar("T")

log = logging.getLogger(__name__)

# A worker answers an abort when its browser and ffmpeg are gone, within a second; one that does
# not is hung, and its call is cut.
ABORT_GRACE_S: Final = 3.0


class WorkerCall(ABC, Generic[T]):
    """Has one attempt at a task made by one worker.

    Cancelled, or when what came cannot be taken in, it asks the worker to abort and waits for the
    acknowledgement before it goes on. Only a connection that breaks leaves the attempt running
    there: for a while, it can be taken up again (`AttachCall`).
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
        if self._time_left_s() == 0.0:  # a worker that hears of it too late would begin
            raise ChunkAbortedError("the job's time was over", reason=JOB_OVERDUE)
        call = self._open(stub)
        # A task of its own, outside of any group: grpc.aio cuts a call whose reader is cancelled,
        # and a call that is cut cannot carry an abort and its acknowledgement any more.
        taking = asyncio.create_task(self._converse(call), name=f"take-chunk-{self.task.index}")
        taking.add_done_callback(look_at)
        try:
            await asyncio.wait([taking])
        finally:
            try:
                if not call.done():
                    await self._abort(call, taking)
            finally:
                call.cancel()
        return taking.result()

    @abstractmethod
    def _open(self, stub: RenderWorkerAsyncStub) -> Any:
        """Begin the call."""

    def _first_request(self) -> Any:
        return pb.RenderChunkRequest(task=wire.from_task(self.task))

    def _abort_request(self, abort: pb.Abort) -> Any:
        return pb.RenderChunkRequest(abort=abort)

    @abstractmethod
    async def _take(self, call: Any) -> T:
        """Take in all that the worker answers to the task."""

    def _tell(self, response: pb.RenderChunkResponse) -> None:
        match response.WhichOneof("step"):
            case "progress":
                self._on_progress(FramesDone(response.progress.frames))
            case "filmed":
                self._on_progress(Filmed())
            case "log":
                self._on_progress(PageLog(response.log.level, response.log.text))
            case _:  # accepted, or what a newer worker says
                pass

    async def _converse(self, call: Any) -> T:
        try:
            await call.write(self._first_request())
            return await self._take(call)
        except grpc.aio.AioRpcError as error:
            raise self._error_of(error) from error
        except asyncio.InvalidStateError:  # written to a call that has ended
            raise self._error_of(await _ended(call)) from None

    def _error_of(self, call_error: grpc.aio.AioRpcError) -> ExecutorError:
        error = error_of(call_error)
        if self.task.ends_at_s is not None and error.reason == StatusCode.DEADLINE_EXCEEDED.name:
            # said by the library: the deadline that these calls have is their job's
            return ChunkAbortedError("the job's time was over", reason=JOB_OVERDUE)
        return error

    def _time_left_s(self) -> float | None:
        """What the call's deadline is to be; None: the job has as long as it needs."""
        ends_at_s = self.task.ends_at_s
        loop = asyncio.get_running_loop()
        return None if ends_at_s is None else max(0.0, ends_at_s - loop.time())

    async def _abort(self, call: Any, taking: asyncio.Task[T]) -> None:
        request = self._abort_request(pb.Abort(reason="the job was stopped"))
        sending = asyncio.create_task(call.write(request), name="send-abort")
        # The status comes after all that was sent before it, so someone must read on.
        reading = asyncio.create_task(_read_out(call), name="read-out") if taking.done() else taking
        await asyncio.wait([sending, reading], timeout=ABORT_GRACE_S)
        if not reading.done():
            log.warning("abort not acknowledged", extra=self._fields())
        call.cancel()
        await asyncio.wait([sending, reading])
        for task in (sending, reading):
            if not task.cancelled():
                task.exception()  # looked at: it is the abort's consequence

    def _fields(self) -> dict[str, object]:
        return {
            "job_id": self.task.job_id,
            "chunk": self.task.index,
            "attempt": self.task.attempt,
            "worker": self.worker,
        }


async def _read_out(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def _ended(call: Any) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        await call.details(),
    )
