"""A conversation about an attempt, with whoever calls: RenderChunk, AttachChunk and Probe."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

from executors.errors import ChunkAbortedError, WorkerLostError
from executors.status import ABORTED, TAKEN_OVER
from executors.tasks import task_group
from protos.framefarm.v1 import worker_pb2 as pb

from .attempt import Caller

if TYPE_CHECKING:
    from .attempt import Answer, Attempt

Context = grpc.aio.ServicerContext[Any, Any]


async def converse(
    attempt: Attempt, context: Context, *, accepted: pb.Accepted, offset: int = 0
) -> None:
    """Tell a caller of an attempt until it has what came of it.

    When the caller leaves, which cancels this, the attempt goes on without it.

    Raises:
        ExecutorError: what ended the attempt, once its work is gone; or another call has it now.

    """

    async def tell(response: pb.RenderChunkResponse) -> None:
        with attempt.while_read():
            await context.write(response)

    # By itself, and not with the first message: a status cannot be sent while that one, cancelled
    # in the middle, still sends the metadata.
    await context.send_initial_metadata(())
    caller = Caller()
    try:
        async with attempt.heard_by(caller), task_group() as group:
            attempt.end_within(context.time_remaining())
            listening = group.create_task(_listen(context, attempt), name="listen-for-abort")
            leaving = group.create_task(_leave(attempt, caller), name="leave-attempt")
            await tell(pb.RenderChunkResponse(accepted=accepted))
            await attempt.outbox.send(tell)
            await (await _outcome(attempt)).send(tell, offset=offset)
            attempt.let_go()
            listening.cancel()
            leaving.cancel()
    finally:
        if attempt.released.done():
            await attempt.ended.wait()


async def _listen(context: Context, attempt: Attempt) -> None:
    """Read what the caller says after its first message, until it has no more to say."""
    while (request := await context.read()) is not grpc.aio.EOF:
        if request.WhichOneof("step") == "abort":
            attempt.stop(ChunkAbortedError(request.abort.reason or "aborted", reason=ABORTED))


async def _leave(attempt: Attempt, caller: Caller) -> None:
    """End the conversation when the attempt is stopped, and its work gone, or another call has it.

    Raises:
        ExecutorError: why it ends.

    """
    ends: list[asyncio.Future[Any]] = [attempt.released, caller.sent_away]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not attempt.released.done():
        raise WorkerLostError("another call has taken the attempt over", reason=TAKEN_OVER)
    await asyncio.wait([attempt.outcome])
    if why := attempt.released.result():
        raise why


async def _outcome(attempt: Attempt) -> Answer:
    await asyncio.wait([attempt.outcome])
    if attempt.outcome.exception():
        attempt.let_go()  # its caller is told now
    return attempt.outcome.result()
