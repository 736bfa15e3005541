"""AttachCall: one AttachChunk call, seen from the caller's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protos.framefarm.v1 import worker_pb2 as pb

from .chunk_call import ChunkCall

if TYPE_CHECKING:
    from pathlib import Path

    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub

    from .base import ChunkTask, OnProgress
    from .uploads import ChunkUploads


class AttachCall(ChunkCall):
    """Takes up an attempt, that of the task's token, which a worker has already.

    `caller_term` is the term of the coordinator that asks: the attempt's, or a later one. The
    file is taken in from its start, whatever an earlier call had of it.
    """

    def __init__(  # noqa: PLR0913  # a ChunkCall's, and who asks
        self,
        task: ChunkTask,
        output: Path,
        *,
        worker: str,
        on_progress: OnProgress,
        caller_term: int,
        uploads: ChunkUploads | None = None,
    ) -> None:
        super().__init__(task, output, worker=worker, on_progress=on_progress, uploads=uploads)
        self._caller_term = caller_term

    def _open(self, stub: RenderWorkerAsyncStub) -> Any:
        return stub.AttachChunk(timeout=self._time_left_s())

    def _first_request(self) -> Any:
        return pb.AttachChunkRequest(
            attach=pb.Attach(
                job_id=self.task.job_id,
                chunk_index=self.task.index,
                term=self.task.term,
                attempt=self.task.attempt,
                caller_term=self._caller_term,
            )
        )

    def _abort_request(self, abort: pb.Abort) -> Any:
        return pb.AttachChunkRequest(abort=abort)
