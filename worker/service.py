"""WorkerService: RenderWorker over any executor."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc.aio

from executors import wire
from executors.base import ChunkResult, ChunkTask, CompositionProber, JobEnder, PageKeeper
from executors.errors import BundleAbsentError
from executors.status import BUNDLE_MISSING
from protos.framefarm.v1 import worker_pb2 as pb
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.audio.passages import SOUNDS
from renderer.composition import BundleEntry
from renderer.errors import InvalidRequestError, Violation
from renderer.history import ProbeResult

from .answers import ChunkAnswer, ProbeAnswer, read_part
from .attempt import fields_of
from .cgroup import oom_kills
from .conversation import converse
from .memory import told_of_memory
from .sound_shelf import SoundShelf
from .upload import UPLOADED, Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from executors.base import OnProgress, RenderExecutor
    from protos.framefarm.v1 import render_pb2

    from .attempt import Attempt, Work
    from .attempts import Attempts
    from .bundle_cache import BundleCache
    from .cgroup import Limits
    from .scratch import Scratch

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a worker is."""

    name: str
    version: str
    fingerprint: str
    limits: Limits
    instance: str = ""  # of this start of it


class WorkerService(worker_pb2_grpc.RenderWorkerServicer):
    """Lets callers render chunks here."""

    def __init__(
        self,
        executor: RenderExecutor,
        attempts: Attempts,
        identity: Identity,
        *,
        bundles: BundleCache,
        scratch: Scratch,
    ) -> None:
        self._executor = executor
        self._attempts = attempts
        self._identity = identity
        self._bundles = bundles
        self._scratch = scratch
        self._uploader = Uploader()
        self._sounds = SoundShelf(scratch.root / SOUNDS, limit_bytes=scratch.sound_bytes)

    # Coroutines that write, not generators: when the caller leaves, they unwind at once and in
    # their own task. The stubs know generators only.
    async def RenderChunk(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RenderChunkRequest], context: Context
    ) -> None:
        del request_iterator
        task = await _read_task(context)
        await self._attempt(task, partial(self._rendered, task), context)

    async def AttachChunk(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.AttachChunkRequest], context: Context
    ) -> None:
        del request_iterator
        attach = await _read_attach(context)
        self._attempts.check_term(attach.job_id, attach.caller_term)
        token = (attach.term, attach.attempt)
        attempt = self._attempts.find(attach.job_id, attach.chunk_index, token)
        log.info("attempt taken up", extra=fields_of(attempt.task))
        await converse(attempt, context, accepted=self._accepted(), offset=attach.offset)

    async def Probe(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RenderChunkRequest], context: Context
    ) -> None:
        del request_iterator
        task = await _read_task(context)
        await self._attempt(task, partial(self._probed, task), context)

    async def UploadBundle(  # type: ignore[override]  # noqa: N802
        self,
        request_iterator: AsyncIterator[render_pb2.UploadBundleRequest],
        context: Context,
    ) -> None:
        del request_iterator
        await self._bundles.receive(context, jobs_in_use=self._jobs_in_use)

    async def DownloadSound(  # type: ignore[override]  # noqa: N802
        self, request: pb.DownloadSoundRequest, context: Context
    ) -> None:
        path = await asyncio.to_thread(self._sounds.find, request.sha256)
        offset = 0
        while data := await asyncio.to_thread(read_part, path, offset):
            await context.write(pb.DownloadSoundResponse(data=data))
            offset += len(data)

    async def EndJob(  # noqa: N802
        self, request: pb.EndJobRequest, context: Context
    ) -> pb.EndJobResponse:
        del context
        self._attempts.check_term(request.job_id, request.term)
        await self._attempts.end_job(request.job_id)
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
            instance=self._identity.instance,
        )

    def _warm_pages(self) -> list[pb.WarmPage]:
        if not isinstance(self._executor, PageKeeper):
            return []
        pages = self._executor.warm_pages
        return [pb.WarmPage(job_id=page.job_id, from_frame=page.from_frame) for page in pages]

    async def _attempt(self, task: ChunkTask, work: Work, context: Context) -> None:
        await self._check_bundle(task)
        attempt = await self._attempts.begin(task, work)
        await converse(attempt, context, accepted=self._accepted())

    @asynccontextmanager
    async def _rendered(self, task: ChunkTask, hear: OnProgress) -> AsyncGenerator[ChunkAnswer]:
        """Render a chunk; its file stands for the block."""
        with self._scratch.folder() as folder:
            path = folder / "chunk.mp4"
            async with self._scratch.watched(folder), told_of_memory(oom_kills):
                result = await self._executor.render(task, path, on_progress=hear)
            await asyncio.to_thread(self._sounds.take_in, folder / SOUNDS)
            _report(task, result)
            if task.upload_url and await self._uploader.bring(path, task.upload_url):
                result = replace(result, artifact=UPLOADED)
            yield ChunkAnswer(result, path)

    @asynccontextmanager
    async def _probed(self, task: ChunkTask, hear: OnProgress) -> AsyncGenerator[ProbeAnswer]:
        del hear
        found = ProbeResult()
        if isinstance(self._executor, CompositionProber):
            async with told_of_memory(oom_kills):
                found = await self._executor.probe(task)
        log.info("page probed", extra=fields_of(task) | {"objection": found.objection})
        yield ProbeAnswer(found)

    async def _check_bundle(self, task: ChunkTask) -> None:
        if isinstance(task.composition, BundleEntry):
            digest = task.composition.digest
            if not await self._bundles.use(task.job_id, digest):
                raise BundleAbsentError(
                    f"bundle {digest[:12]}… is not here: call UploadBundle", reason=BUNDLE_MISSING
                )

    def _jobs_in_use(self) -> set[str]:
        """The jobs that have an attempt here, or a page that stands open."""
        pages = self._executor.warm_pages if isinstance(self._executor, PageKeeper) else ()
        running = {attempt.task.job_id for attempt in self._attempts.running}
        return running | {page.job_id for page in pages}

    def _accepted(self) -> pb.Accepted:
        return pb.Accepted(worker=self._identity.name, fingerprint=self._identity.fingerprint)


async def _read_task(context: Context) -> ChunkTask:
    request = await context.read()
    if not isinstance(request, pb.RenderChunkRequest) or request.WhichOneof("step") != "task":
        raise InvalidRequestError([Violation("task", "the first message must bring the task")])
    return wire.to_task(request.task)


async def _read_attach(context: Context) -> pb.Attach:
    request = await context.read()
    if not isinstance(request, pb.AttachChunkRequest) or request.WhichOneof("step") != "attach":
        problem = "the first message must name the attempt"
        raise InvalidRequestError([Violation("attach", problem)])
    if request.attach.offset < 0:
        problem = f"{request.attach.offset} is no number of bytes; begin at 0"
        raise InvalidRequestError([Violation("offset", problem)])
    return request.attach


def _told(attempt: Attempt) -> pb.RunningAttempt:
    return pb.RunningAttempt(
        job_id=attempt.task.job_id,
        chunk_index=attempt.task.index,
        attempt=attempt.task.attempt,
        frames=attempt.frames_done,
        term=attempt.task.term,
        finished=attempt.is_finished,
        filmed=not attempt.holds_slot,
    )


def _report(task: ChunkTask, result: ChunkResult) -> None:
    facts = {"frames": result.frames, "fps": round(result.frames / max(result.seconds, 1e-9), 1)}
    log.info("chunk rendered", extra=fields_of(task) | facts | {"strategy": result.strategy})
