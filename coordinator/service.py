"""CoordinatorService: RenderCoordinator over jobs, events and a fleet. It only translates."""

from __future__ import annotations

from contextlib import aclosing
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import grpc.aio

from executors.transfer import receive_bundle
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.errors import InvalidRequestError, Violation

from . import wire
from .output_files import path_of
from .preview.previews import problem_of
from .queue import Phase
from .sources import check_sources
from .status import (
    JobNotSucceededError,
    NoFileError,
    NoManifestError,
    NoPictureError,
)
from .watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from executors.fleet import Fleet
    from executors.scheduling.worker import Worker
    from protos.framefarm.v1 import render_pb2

    from .artifacts.bundles import KeptBundles
    from .beginning import HeldJobs
    from .events import EventLog
    from .job import Job, Output, StoredOutput, StoredPicture
    from .job_files import JobFiles
    from .jobs import Jobs
    from .preview.previews import Previews
    from .stores.base import JobStore

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 1_000
# A client takes messages of 4 MiB, and a job's props alone may have 1 MiB.
MAX_PAGE_BYTES: Final = 3 << 20

Context = grpc.aio.ServicerContext[Any, Any]


class CoordinatorService(coordinator_pb2_grpc.RenderCoordinatorServicer):
    """Lets clients create, watch, cancel and fetch jobs."""

    def __init__(  # noqa: PLR0913  # wiring: each is one thing that the service shows
        self,
        *,
        jobs: Jobs | HeldJobs,
        files: JobFiles,
        store: JobStore,
        events: EventLog,
        bundles: KeptBundles,
        fleet: Fleet | None,
        ffprobe: Path,
        term: int = 0,
        watchers: Watchers | None = None,
        previews: Previews | None = None,
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._store = store
        self._events = events
        self._bundles = bundles
        self._fleet = fleet
        self._ffprobe = ffprobe
        self._term = term
        self.watchers = watchers or Watchers(most=1_000)
        self._previews = previews

    async def CreateJob(self, request: pb.CreateJobRequest, context: Context) -> pb.Job:  # noqa: N802
        del context
        # Asked again, it is answered again, also where nothing new is taken now.
        if request.request_id and (made := await self._store.made_by(request.request_id)):
            return self._told(made)
        spec = wire.to_spec(request.spec)
        await check_sources(spec, self._bundles, ffprobe=self._ffprobe)
        return self._told(await self._jobs.create(spec, request_id=request.request_id))

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.Job:  # noqa: N802
        del context
        return self._told(await self._store.get(request.job_id))

    def _told(self, job: Job) -> pb.Job:
        """A job, and where it can be watched: that is not kept, but known here."""
        message = wire.from_job(job)
        if self._previews is not None:
            problem = problem_of(job.spec)
            url = "" if problem else self._previews.url(job.id)
            message.preview.CopyFrom(pb.Preview(url=url, problem=problem))
        return message

    async def ListJobs(  # noqa: N802
        self, request: pb.ListJobsRequest, context: Context
    ) -> pb.ListJobsResponse:
        del context
        size = min(request.page_size or PAGE_SIZE, MAX_PAGE_SIZE)
        jobs = await self._store.page(size=size + 1, before=request.page_token)
        page = _fitting([wire.from_job(job) for job in jobs[:size]])
        more = len(jobs) > len(page)
        return pb.ListJobsResponse(jobs=page, next_page_token=page[-1].id if more else "")

    # Coroutines that write, not generators: when the caller leaves, they unwind at once and in
    # their own task. The stubs know generators only.
    async def WatchJob(  # type: ignore[override]  # noqa: N802
        self, request: pb.WatchJobRequest, context: Context
    ) -> None:
        watching = self._events.watch(request.job_id, after=request.after_sequence)
        async with self.watchers.place() as told, aclosing(watching) as events:
            async for event in events:
                await told(context.write(wire.from_job_event(event)))

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.Job:  # noqa: N802
        del context
        return wire.from_job(await self._jobs.cancel(request.job_id))

    async def PauseJob(self, request: pb.PauseJobRequest, context: Context) -> pb.Job:  # noqa: N802
        del context
        return wire.from_job(await self._jobs.pause(request.job_id))

    async def ResumeJob(self, request: pb.ResumeJobRequest, context: Context) -> pb.Job:  # noqa: N802
        del context
        return wire.from_job(await self._jobs.resume(request.job_id))

    async def DeleteJob(  # noqa: N802
        self, request: pb.DeleteJobRequest, context: Context
    ) -> pb.DeleteJobResponse:
        del context
        await self._jobs.delete(request.job_id)
        return pb.DeleteJobResponse()

    async def UploadBundle(  # type: ignore[override]  # noqa: N802
        self,
        request_iterator: AsyncIterator[render_pb2.UploadBundleRequest],
        context: Context,
    ) -> None:
        del request_iterator
        bundles = self._bundles
        await receive_bundle(context, bundles.here, on_manifest=bundles.claim, on_kept=bundles.keep)

    async def DownloadOutput(  # type: ignore[override]  # noqa: N802
        self, request: pb.DownloadOutputRequest, context: Context
    ) -> None:
        job = await self._store.get(request.job_id)
        path, size_bytes = self._kept(job, request)
        if not 0 <= request.offset <= size_bytes:
            problem = f"{request.offset} is outside 0…{size_bytes} bytes"
            raise InvalidRequestError([Violation("offset", problem)])
        async with aclosing(self._files.read(path, offset=request.offset)) as parts:
            async for data in parts:
                await context.write(pb.DownloadOutputResponse(data=data))

    def _kept(self, job: Job, request: pb.DownloadOutputRequest) -> tuple[Path, int]:
        """Return the file that is asked for, and its size."""
        match request.part:
            case pb.OUTPUT_PART_UNSPECIFIED | pb.OUTPUT_PART_VIDEO:
                return self._files.output(job), _output_of(job).size_bytes
            case pb.OUTPUT_PART_MANIFEST:
                if (manifest := _output_of(job).manifest) is None:
                    raise NoManifestError(f"job {job.id} has no manifest: render it again")
                return self._files.manifest(job), manifest.size_bytes
            case pb.OUTPUT_PART_PICTURE:
                picture = _picture_of(job, request.name)
                return self._files.pictures(job) / picture.name, picture.size_bytes
            case pb.OUTPUT_PART_FILE:
                index, file = _file_of(job, request.name)
                spec, output = job.spec, self._files.output(job)
                path = path_of(output, index, spec.files[index], spec.settings)
                return path, file.size_bytes
            case unknown:
                problem = f"this version does not know value {unknown}"
                raise InvalidRequestError([Violation("part", problem)])

    async def ListWorkers(  # noqa: N802
        self, request: pb.ListWorkersRequest, context: Context
    ) -> pb.ListWorkersResponse:
        del request, context
        workers = self._fleet.workers if self._fleet else []
        return pb.ListWorkersResponse(workers=[_told(worker) for worker in workers])

    async def GetFarm(self, request: pb.GetFarmRequest, context: Context) -> pb.Farm:  # noqa: N802
        del request, context
        count = self._jobs.queue.count
        holds = self._jobs.holds.all
        workers = self._fleet.workers if self._fleet else []
        return pb.Farm(
            state=pb.FARM_STATE_PAUSED if holds else pb.FARM_STATE_READY,
            holds=[pb.FarmHold(reason=hold.reason, message=hold.message) for hold in holds],
            jobs_blocked=count(Phase.BLOCKED),
            jobs_waiting=count(Phase.WAITING),
            jobs_running=count(Phase.RUNNING) + count(Phase.STOPPING),
            jobs_paused=count(Phase.PAUSED),
            chunks_running=sum(worker.leased + worker.filmed for worker in workers),
            slots=sum(worker.slots for worker in workers if worker.is_serving),
            term=self._term,
        )


def _output_of(job: Job) -> Output:
    if job.output is None:
        raise JobNotSucceededError(f"job {job.id} is {job.state}: it has no output")
    return job.output


def _file_of(job: Job, name: str) -> tuple[int, StoredOutput]:
    """Of those that the job names, too."""
    for index, file in enumerate(_output_of(job).files):
        if file.name == name:
            return index, file
    raise NoFileError(f"job {job.id} has made no file {name!r:.80}")


def _picture_of(job: Job, name: str) -> StoredPicture:
    """Of those that the job names: no path of a caller's own."""
    for picture in job.error.pictures if job.error else ():
        if picture.name == name:
            return picture
    raise NoPictureError(f"the error of job {job.id} names no picture {name!r:.80}")


def _fitting(jobs: Sequence[pb.Job]) -> Sequence[pb.Job]:
    """The first of the jobs, as many as one message may hold."""
    sizes = accumulate(job.ByteSize() for job in jobs)
    return jobs[: max(1, sum(size <= MAX_PAGE_BYTES for size in sizes))]


def _told(worker: Worker) -> pb.WorkerInfo:
    return pb.WorkerInfo(
        address=worker.address,
        name=worker.report.name if worker.report else "",
        state=_state(worker),
        problem=worker.problem or worker.unfit,
        slots=worker.slots,
        free_slots=max(0, worker.slots - worker.leased),
        version=worker.report.version if worker.report else "",
        fingerprint=worker.fingerprint,
    )


def _state(worker: Worker) -> pb.WorkerState.ValueType:
    if worker.problem or worker.unfit:
        return pb.WORKER_STATE_UNREACHABLE
    return pb.WORKER_STATE_READY if worker.is_serving else pb.WORKER_STATE_DRAINING
