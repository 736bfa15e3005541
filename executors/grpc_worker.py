"""GrpcWorker: a WorkerPort over one gRPC channel of its own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import grpc.aio

from protos.framefarm.v1 import worker_pb2, worker_pb2_grpc

from . import wire
from .attach_call import AttachCall
from .chunk_call import ChunkCall
from .errors import BundleAbsentError, WorkerLostError
from .orders import digest_of
from .probe_call import ProbeCall
from .status import error_of
from .transfer import send_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from renderer.bundle import BundleStore
    from renderer.history import ProbeResult

    from .base import ChunkResult, ChunkTask, OnProgress
    from .uploads import ChunkUploads
    from .worker_call import WorkerCall
    from .worker_port import WorkerReport

T = TypeVar("T")

log = logging.getLogger(__name__)

ASK_TIMEOUT_S: Final = 3.0
END_TIMEOUT_S: Final = 1.0


class GrpcWorker:
    """The way to one worker. Bundles are brought there once, however many chunks ask."""

    def __init__(
        self,
        address: str,
        channel: grpc.aio.Channel,
        bundles: BundleStore,
        *,
        term: int,
        uploads: ChunkUploads | None = None,
    ) -> None:
        self._address = address
        self._channel = channel
        self._bundles = bundles
        self._term = term
        self._uploads = uploads
        self._stub: worker_pb2_grpc.RenderWorkerAsyncStub = worker_pb2_grpc.RenderWorkerStub(
            channel
        )
        self._brought: set[str] = set()
        self._bringing = asyncio.Lock()

    async def ask(self) -> WorkerReport:
        request = worker_pb2.GetWorkerRequest()
        try:
            return wire.to_worker_report(await self._stub.GetWorker(request, timeout=ASK_TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            self._brought.clear()  # it may come back with an empty disk
            raise WorkerLostError(f"{error.code().name}: {error.details()}") from error

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        if self._uploads is not None:
            task = replace(task, upload_url=await self._uploads.url(task))
        call = ChunkCall(
            task,
            output,
            worker=self._address,
            on_progress=on_progress,
            uploads=self._uploads,
        )
        return await self._with_bundle(call, task)

    async def attach(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        call = AttachCall(
            task,
            output,
            worker=self._address,
            on_progress=on_progress,
            caller_term=self._term,
            uploads=self._uploads,
        )
        return await call.run(self._stub)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        call = ProbeCall(task, worker=self._address, on_progress=lambda _: None)
        return await self._with_bundle(call, task)

    async def end_job(self, job_id: str) -> None:
        try:
            request = worker_pb2.EndJobRequest(job_id=job_id, term=self._term)
            await self._stub.EndJob(request, timeout=END_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:  # it lets go of the job by itself, a little later
            facts = {"worker": self._address, "job_id": job_id, "status": error.code().name}
            log.info("worker not told of a job's end", extra=facts)

    async def close(self) -> None:
        await self._channel.close()

    async def _with_bundle(self, call: WorkerCall[T], task: ChunkTask) -> T:
        await self._bring(task)
        try:
            return await call.run(self._stub)
        except BundleAbsentError:  # it has been cleaned away since
            self._brought.discard(digest_of(task) or "")
            await self._bring(task)
            return await call.run(self._stub)

    async def _bring(self, task: ChunkTask) -> None:
        """See to it that the worker has the task's bundle."""
        digest = digest_of(task)
        if digest is None:
            return
        async with self._bringing:
            if digest in self._brought:
                return
            try:
                manifest = await asyncio.to_thread(self._bundles.manifest, digest)
                await send_bundle(self._stub, manifest, self._bundles.blob)
            except grpc.aio.AioRpcError as error:
                raise error_of(error) from error
            except KeyError as error:
                raise BundleAbsentError(f"bundle {digest[:12]}… was never uploaded") from error
            self._brought.add(digest)
