"""WorkerService: RenderWorker over any executor."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc.aio

from executors import wire
from executors.base import (
    ChunkEvent,
    ChunkResult,
    ChunkTask,
    CompositionProber,
    FramesDone,
    JobEnder,
    OnProgress,
    PageKeeper,
    RenderExecutor,
)
from executors.errors import AttemptNotFoundError, BundleAbsentError, ChunkAbortedError
from executors.probe_wire import from_probe_result
from executors.sound_wire import from_report
from executors.status import BUNDLE_MISSING
from executors.tasks import task_group
from executors.transfer import receive_bundle
from protos.framefarm.v1 import worker_pb2 as pb
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.audio.passages import SOUNDS
from renderer.composition import BundleEntry
from renderer.errors import InvalidRequestError, Violation
from renderer.history import ProbeResult

from .outbox import Outbox
from .sound_shelf import SoundShelf

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from protos.framefarm.v1 import render_pb2
    from renderer.bundle import BundleStore

    from .attempts import Attempt, Attempts
    from .cgroup import Limits

    Work = Callable[[OnProgress], Coroutine[Any, Any, T]]

log = logging.getLogger(__name__)

DATA_BYTES: Final = 1 << 20
ABORTED: Final = "ABORTED"

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a worker is."""

    name: str
    version: str
    fingerprint: str
    limits: Limits


class WorkerService(worker_pb2_grpc.RenderWorkerServicer):
    """Lets callers render chunks here. `scratch` is a folder for chunk files on their way out."""

    def __init__(
        self,
        executor: RenderExecutor,
        attempts: Attempts,
        identity: Identity,
        *,
        bundles: BundleStore,
        scratch: Path,
    ) -> None:
        self._executor = executor
        self._attempts = attempts
        self._identity = identity
        self._bundles = bundles
        self._scratch = scratch
        self._sounds = SoundShelf(scratch / SOUNDS)

    # Coroutines that write, not generators: when the caller leaves, they unwind at once and in
    # their own task. The stubs know generators only.
    async def RenderChunk(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RenderChunkRequest], context: Context
    ) -> None:
        del request_iterator
        task = await _read_task(context)
        await self._check_bundle(task)
        async with self._attempts.begin(task) as attempt:
            await self._accept(context)
            with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
                chunk = Path(folder, "chunk.mp4")
                result = await _attempted(
                    attempt,
                    lambda hear: self._executor.render(task, chunk, on_progress=hear),
                    context,
                )
                await _send_file(chunk, context)
                await asyncio.to_thread(self._sounds.take_in, Path(folder, SOUNDS))
            for digests in wire.from_digests(result.frame_digests):
                await context.write(pb.RenderChunkResponse(digests=digests))
            for sounds in from_report(result.sounds) if result.sounds else ():
                await context.write(pb.RenderChunkResponse(sounds=sounds))
            for edge in wire.from_edges(result.edges):
                await context.write(pb.RenderChunkResponse(edge=edge))
            await context.write(pb.RenderChunkResponse(completed=wire.from_result(result)))
            _report(task, result)

    async def AttachChunk(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.AttachChunkRequest], context: Context
    ) -> None:
        del request_iterator
        request = await context.read()
        if not isinstance(request, pb.AttachChunkRequest) or request.WhichOneof("step") != "attach":
            problem = "the first message must name the attempt"
            raise InvalidRequestError([Violation("attach", problem)])
        attach = request.attach
        self._attempts.check_term(attach.job_id, attach.caller_term)
        raise AttemptNotFoundError(f"chunk {attach.chunk_index} has no attempt here to take up")

    async def Probe(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RenderChunkRequest], context: Context
    ) -> None:
        del request_iterator
        task = await _read_task(context)
        await self._check_bundle(task)
        async with self._attempts.begin(task) as attempt:
            await self._accept(context)
            found = await _attempted(attempt, lambda _: self._probe(task), context)
            probed = from_probe_result(found)
            await context.write(pb.RenderChunkResponse(probed=probed))
            log.info("page probed", extra=_fields(task) | {"objection": found.objection})

    async def UploadBundle(  # type: ignore[override]  # noqa: N802
        self,
        request_iterator: AsyncIterator[render_pb2.UploadBundleRequest],
        context: Context,
    ) -> None:
        del request_iterator
        await receive_bundle(context, self._bundles)

    async def DownloadSound(  # type: ignore[override]  # noqa: N802
        self, request: pb.DownloadSoundRequest, context: Context
    ) -> None:
        path = await asyncio.to_thread(self._sounds.find, request.sha256)
        with await asyncio.to_thread(path.open, "rb") as file:
            while data := await asyncio.to_thread(file.read, DATA_BYTES):
                await context.write(pb.DownloadSoundResponse(data=data))

    async def EndJob(  # noqa: N802
        self, request: pb.EndJobRequest, context: Context
    ) -> pb.EndJobResponse:
        del context
        self._attempts.check_term(request.job_id, request.term)
        if isinstance(self._executor, JobEnder):
            await self._executor.end_job(request.job_id)
        return pb.EndJobResponse()

    async def GetWorker(  # noqa: N802
        self, request: pb.GetWorkerRequest, context: Context
    ) -> pb.GetWorkerResponse:
        del request, context
        return pb.GetWorkerResponse(
            name=self._identity.name,
            version=self._identity.version,
            fingerprint=self._identity.fingerprint,
            slots=self._attempts.slots,
            free_slots=self._attempts.free_slots,
            draining=self._attempts.draining,
            attempts=[_told(attempt) for attempt in self._attempts.running],
            cpus=self._identity.limits.cpus,
            memory_bytes=self._identity.limits.memory_bytes,
            warm_pages=self._warm_pages(),
        )

    def _warm_pages(self) -> list[pb.WarmPage]:
        if not isinstance(self._executor, PageKeeper):
            return []
        pages = self._executor.warm_pages
        return [pb.WarmPage(job_id=page.job_id, from_frame=page.from_frame) for page in pages]

    async def _check_bundle(self, task: ChunkTask) -> None:
        if isinstance(task.composition, BundleEntry):
            digest = task.composition.digest
            if not await asyncio.to_thread(self._bundles.has, digest):
                raise BundleAbsentError(
                    f"bundle {digest[:12]}… is not here: call UploadBundle", reason=BUNDLE_MISSING
                )

    async def _accept(self, context: Context) -> None:
        identity = self._identity
        accepted = pb.Accepted(worker=identity.name, fingerprint=identity.fingerprint)
        await context.write(pb.RenderChunkResponse(accepted=accepted))

    async def _probe(self, task: ChunkTask) -> ProbeResult:
        if isinstance(self._executor, CompositionProber):
            return await self._executor.probe(task)
        return ProbeResult()


async def _read_task(context: Context) -> ChunkTask:
    request = await context.read()
    if not isinstance(request, pb.RenderChunkRequest) or request.WhichOneof("step") != "task":
        raise InvalidRequestError([Violation("task", "the first message must bring the task")])
    return wire.to_task(request.task)


async def _attempted(attempt: Attempt, work: Work[T], context: Context) -> T:
    """Do the work of an attempt, and tell the caller of it, until it is done or stopped."""
    outbox = Outbox()

    def on_progress(event: ChunkEvent) -> None:
        if isinstance(event, FramesDone):
            attempt.frames_done = event.done
        outbox.put(event)

    async with task_group() as group:
        working = group.create_task(work(on_progress), name=f"work-at-chunk-{attempt.task.index}")
        working.add_done_callback(lambda _: outbox.close())
        listening = group.create_task(_listen(context, attempt), name="listen-for-abort")
        obeying = group.create_task(_obey(attempt, working), name="obey-abort")
        await outbox.send(context)
        listening.cancel()
        obeying.cancel()
    if working.cancelled():  # and gone: what it had started was ended before
        raise attempt.stopped.result()
    return working.result()


async def _listen(context: Context, attempt: Attempt) -> None:
    """Read what the caller says after the task, until it has no more to say."""
    while (request := await context.read()) is not grpc.aio.EOF:
        if request.WhichOneof("step") == "abort":
            attempt.stop(ChunkAbortedError(request.abort.reason or "aborted", reason=ABORTED))


async def _obey(attempt: Attempt, working: asyncio.Task[Any]) -> None:
    why = await asyncio.shield(attempt.stopped)
    log.info("attempt stopped", extra=_fields(attempt.task) | {"reason": str(why)})
    working.cancel()


async def _send_file(path: Path, context: Context) -> None:
    with await asyncio.to_thread(path.open, "rb") as file:
        while data := await asyncio.to_thread(file.read, DATA_BYTES):
            await context.write(pb.RenderChunkResponse(data=pb.Data(data=data)))


def _told(attempt: Attempt) -> pb.RunningAttempt:
    return pb.RunningAttempt(
        job_id=attempt.task.job_id,
        chunk_index=attempt.task.index,
        attempt=attempt.task.attempt,
        frames=attempt.frames_done,
        term=attempt.task.term,
    )


def _report(task: ChunkTask, result: ChunkResult) -> None:
    facts = {"frames": result.frames, "fps": round(result.frames / max(result.seconds, 1e-9), 1)}
    log.info("chunk rendered", extra=_fields(task) | facts)


def _fields(task: ChunkTask) -> dict[str, object]:
    return {"job_id": task.job_id, "chunk": task.index, "attempt": task.attempt}
