# ruff: noqa: N802  # gRPC names the methods
"""A coordinator that renders nothing: it plays a script, keeps what it is sent, and can fail."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from coordinator import wire
from coordinator.job import (
    Event,
    Job,
    JobError,
    JobEvent,
    JobSpec,
    JobState,
    Output,
    ProgressMade,
    StateChanged,
    StoredPicture,
)
from executors.transfer import receive_bundle
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1 import coordinator_pb2_grpc
from renderer.bundle import BlobWriter, BundleStore
from renderer.composition import BundleEntry
from renderer.errors import InvalidRequestError
from serving.server import Service, open_server
from serving.status import RichStatus

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    Context = grpc.aio.ServicerContext[Any, Any]

VIDEO = bytes(range(256)) * 10_000
ENDS_OF = {
    JobState.SUCCEEDED: (JobState.RENDERING, JobState.ASSEMBLING, JobState.SUCCEEDED),
    JobState.FAILED: (JobState.RENDERING, JobState.FAILED),
    JobState.RENDERING: (JobState.RENDERING,),
}


@dataclass
class Script:
    """What becomes of every job, and where the fake breaks. Each break happens once."""

    ends: JobState = JobState.SUCCEEDED  # RENDERING: never ends by itself
    events: tuple[Event, ...] = ()
    error: JobError | None = None
    video: bytes = VIDEO
    pictures: dict[str, bytes] = field(default_factory=dict)
    promised_sha256: str | None = None
    watch_breaks_after: int | None = None
    download_breaks_after: int | None = None
    cancel_takes_s: float = 0.0
    holds: tuple[tuple[str, str], ...] = ()
    refusals: list[RichStatus] = field(default_factory=list)  # of the next CreateJobs
    watch_refusals: list[RichStatus] = field(default_factory=list)


@dataclass
class Seen:
    """What was asked of the fake."""

    blobs: list[str] = field(default_factory=list)
    watched_after: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    watching: int = 0


class NotThereError(Exception):
    pass


class NotNowError(Exception):
    def __init__(self, status: RichStatus) -> None:
        super().__init__(status.message)
        self.status = status


class RecordingStore(BundleStore):
    """Knows which blobs it was sent."""

    def __init__(self, data_dir: Path, seen: Seen) -> None:
        super().__init__(data_dir)
        self._seen = seen

    def writer(self, sha256: str) -> BlobWriter:
        self._seen.blobs.append(sha256)
        return super().writer(sha256)


class FakeCoordinator(coordinator_pb2_grpc.RenderCoordinatorServicer):
    def __init__(self, data_dir: Path, script: Script) -> None:
        self.script = script
        self.seen = Seen()
        self.store = RecordingStore(data_dir, self.seen)
        self.jobs: dict[str, Job] = {}
        self.events: dict[str, list[JobEvent]] = {}
        self._by_request: dict[str, str] = {}
        self._changed = asyncio.Condition()

    async def CreateJob(self, request: pb.CreateJobRequest, context: Context) -> pb.Job:
        _refuse(self.script.refusals)
        if (known := self._by_request.get(request.request_id)) is None:
            spec = wire.to_spec(request.spec)
            known = self._by_request[request.request_id] = f"job-{len(self.jobs) + 1}"
            self._check(spec)
            await self._play(known, spec)
        return wire.from_job(self.jobs[known])

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.Job:
        return wire.from_job(self._job(request.job_id))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        jobs = list(reversed(self.jobs.values()))
        start = int(request.page_token or 0)
        stop = start + (request.page_size or 50)
        return pb.ListJobsResponse(
            jobs=[wire.from_job(job) for job in jobs[start:stop]],
            next_page_token=str(stop) if stop < len(jobs) else "",
        )

    async def WatchJob(  # type: ignore[override]
        self, request: pb.WatchJobRequest, context: Context
    ) -> None:
        _refuse(self.script.watch_refusals)
        self._job(request.job_id)
        self.seen.watched_after.append(request.after_sequence)
        self.seen.watching += 1
        try:
            await self._tell(request, context)
        finally:
            self.seen.watching -= 1

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.Job:
        self._job(request.job_id)
        await asyncio.sleep(self.script.cancel_takes_s)
        self.seen.cancelled.append(request.job_id)
        if not self._job(request.job_id).state.is_final:
            await self._append(request.job_id, StateChanged(JobState.CANCELLED))
        return wire.from_job(self.jobs[request.job_id])

    async def PauseJob(self, request: pb.PauseJobRequest, context: Context) -> pb.Job:
        await self._append(request.job_id, StateChanged(JobState.PAUSED))
        return wire.from_job(self._job(request.job_id))

    async def ResumeJob(self, request: pb.ResumeJobRequest, context: Context) -> pb.Job:
        self._job(request.job_id)
        await self._append(request.job_id, StateChanged(JobState.RENDERING))
        return wire.from_job(self._job(request.job_id))

    async def DeleteJob(
        self, request: pb.DeleteJobRequest, context: Context
    ) -> pb.DeleteJobResponse:
        self._job(request.job_id)
        del self.jobs[request.job_id]
        return pb.DeleteJobResponse()

    async def GetFarm(self, request: pb.GetFarmRequest, context: Context) -> pb.Farm:
        holds = [pb.FarmHold(reason=reason, message=why) for reason, why in self.script.holds]
        state = pb.FARM_STATE_PAUSED if holds else pb.FARM_STATE_READY
        return pb.Farm(
            state=state, holds=holds, jobs_waiting=7, jobs_running=2, chunks_running=3, slots=4
        )

    async def UploadBundle(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await receive_bundle(context, self.store)

    async def DownloadOutput(  # type: ignore[override]
        self, request: pb.DownloadOutputRequest, context: Context
    ) -> None:
        self.seen.offsets.append(request.offset)
        sent = 0
        is_picture = request.part == pb.OUTPUT_PART_PICTURE
        file = self.script.pictures[request.name] if is_picture else self.script.video
        for start in range(request.offset, len(file), 1 << 18):
            data = file[start : start + (1 << 18)]
            await context.write(pb.DownloadOutputResponse(data=data))
            sent += len(data)
            if self.script.download_breaks_after == sent:
                self.script.download_breaks_after = None
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")

    async def ListWorkers(
        self, request: pb.ListWorkersRequest, context: Context
    ) -> pb.ListWorkersResponse:
        return pb.ListWorkersResponse(
            workers=[
                pb.WorkerInfo(
                    address="127.0.0.1:1",
                    name="one",
                    state=pb.WORKER_STATE_READY,
                    slots=2,
                    free_slots=1,
                    version="0.1.0",
                    fingerprint="f" * 64,
                ),
                pb.WorkerInfo(
                    address="127.0.0.1:2",
                    state=pb.WORKER_STATE_UNREACHABLE,
                    problem="connection refused",
                ),
            ]
        )

    def _check(self, spec: JobSpec) -> None:
        bundles = [track.source for track in spec.audio]
        if isinstance(spec.composition, BundleEntry):
            bundles.append(spec.composition)
        for bundle in bundles:
            assert bundle.entry in self.store.files(bundle.digest)

    async def _play(self, job_id: str, spec: JobSpec) -> None:
        self.jobs[job_id] = Job(
            id=job_id, state=JobState.QUEUED, spec=spec, frames_done=0, created_at=datetime.now(UTC)
        )
        self.events[job_id] = []
        begin, *rest = ENDS_OF[self.script.ends]
        await self._append(job_id, StateChanged(begin))
        for event in self.script.events:
            await self._append(job_id, event)
        for state in rest:
            error = self.script.error if state is JobState.FAILED else None
            await self._append(job_id, StateChanged(state, error))

    async def _append(self, job_id: str, event: Event) -> None:
        events = self.events[job_id]
        events.append(JobEvent(sequence=len(events) + 1, at=datetime.now(UTC), event=event))
        job = self.jobs[job_id]
        if isinstance(event, ProgressMade):
            job = replace(job, frames_done=event.frames_done)
        if isinstance(event, StateChanged):
            job = replace(job, state=event.state, error=event.error)
        if job.state is JobState.SUCCEEDED:
            job = replace(job, output=self._output(job.spec), frames_done=len(job.spec.frames))
        self.jobs[job_id] = job
        async with self._changed:
            self._changed.notify_all()

    def _output(self, spec: JobSpec) -> Output:
        return Output(
            size_bytes=len(self.script.video),
            sha256=self.script.promised_sha256 or hashlib.sha256(self.script.video).hexdigest(),
            frames=len(spec.frames),
            width_px=spec.settings.width_px,
            height_px=spec.settings.height_px,
        )

    async def _tell(self, request: pb.WatchJobRequest, context: Context) -> None:
        told = request.after_sequence
        while True:
            for event in self.events[request.job_id][told:]:
                await context.write(wire.from_job_event(event))
                told = event.sequence
                if self.script.watch_breaks_after == told:
                    self.script.watch_breaks_after = None
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            if self.jobs[request.job_id].state.is_final:
                return
            async with self._changed:
                await self._changed.wait_for(
                    lambda: len(self.events[request.job_id]) > told  # noqa: B023  # awaited here
                )

    def _job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotThereError(job_id)
        return self.jobs[job_id]


@asynccontextmanager
async def fake_coordinator(
    data_dir: Path, script: Script | None = None
) -> AsyncGenerator[tuple[str, FakeCoordinator]]:
    """Serve a fake on loopback: its address, and itself."""
    fake = FakeCoordinator(data_dir, script or Script())
    service = Service(
        name="framefarm.v1.RenderCoordinator",
        add=lambda server: coordinator_pb2_grpc.add_RenderCoordinatorServicer_to_server(
            fake, server
        ),
    )
    async with open_server("127.0.0.1:0", [service], status_of=_status_of) as server:
        yield server.address, fake


def torn_seam(pictures: dict[str, bytes]) -> JobError:
    """The error of a job whose chunks do not fit together, with pictures of that."""
    stored = [
        StoredPicture(name=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in pictures.items()
    ]
    return JobError(reason="SEAM_MISMATCH", message="frame 10 differs", pictures=tuple(stored))


def _refuse(refusals: list[RichStatus]) -> None:
    if refusals:
        raise NotNowError(refusals.pop(0))


def _status_of(error: Exception) -> RichStatus | None:
    if isinstance(error, NotNowError):
        return error.status
    if isinstance(error, NotThereError):
        return RichStatus(
            code=grpc.StatusCode.NOT_FOUND, message=f"no job {error}", reason="JOB_NOT_FOUND"
        )
    if isinstance(error, InvalidRequestError):
        return RichStatus(
            code=grpc.StatusCode.INVALID_ARGUMENT,
            message=str(error),
            reason="INVALID_REQUEST",
            violations=tuple((each.field, each.problem) for each in error.violations),
        )
    return None
