"""FarmClient: a coordinator, as its users see it."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self

import grpc.aio

from coordinator import wire
from executors.transfer import send_bundle
from protos.framefarm.v1 import coordinator_pb2 as pb
from protos.framefarm.v1.coordinator_pb2_grpc import RenderCoordinatorStub
from renderer.bundle import manifest_of
from serving.channel import open_channel

from .calls import Calls, naming
from .errors import CallFailedError
from .farm_preview import FarmPreview, to_farm_preview
from .farm_status import FarmStatus, to_farm_status
from .farm_worker import FarmWorker, to_farm_worker
from .kept_files import manifest_of_frames, output_of
from .landing import landing, plain_name
from .patience import PATIENCE_S, WAIT_S, Waiting, log_wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection
    from pathlib import Path
    from types import TracebackType

    from coordinator.job import Job, JobEvent, JobSpec, Output, StoredFile, StoredOutput
    from protos.framefarm.v1.coordinator_pb2_grpc import RenderCoordinatorAsyncStub
    from renderer.bundle import BundleManifest

    from .landing import Promised

_PAGE: Final = 200


class FarmClient:
    """Talks to the coordinator at `address` (HOST:PORT). Enter it to connect, leave it to close.

    A coordinator that answered once and goes away is waited for: calls are tried again, streams
    go on where they stood, until nothing has come for `patience_s`. One that says "not now, come
    again then" (a full queue or disk, a database that is down, another that leads) is asked again
    then, for `wait_s`; `on_wait` is told why. Every method may raise `FarmUnreachableError`,
    `CallFailedError`, and, where a job is named, `NoSuchJobError`.
    """

    def __init__(
        self,
        address: str,
        *,
        patience_s: float = PATIENCE_S,
        wait_s: float = WAIT_S,
        on_wait: Callable[[str], None] = log_wait,
    ) -> None:
        self.address = address
        waiting = Waiting(lost_s=patience_s, told_s=wait_s, on_wait=on_wait)
        self._calls = Calls(address, waiting)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        channel = await self._open.enter_async_context(open_channel(self.address))
        self._stub: RenderCoordinatorAsyncStub = RenderCoordinatorStub(channel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def upload(self, folder: Path, *, leave_out: Collection[Path] = ()) -> str:
        """Bring a folder's files to the coordinator, those it misses, and return their digest."""
        manifest = await asyncio.to_thread(manifest_of, folder, leave_out=leave_out)
        return await self.send(folder, manifest)

    async def send(self, folder: Path, manifest: BundleManifest) -> str:
        """Bring the files that `manifest` describes, and return the bundle's digest."""
        path_of = {file.sha256: folder / file.path for file in manifest.files}
        try:
            return await self._calls.ask(
                lambda: send_bundle(self._stub, manifest, path_of.__getitem__)
            )
        except ConnectionError as error:
            raise CallFailedError(str(error), status=grpc.StatusCode.UNKNOWN.name) from error

    async def create(self, spec: JobSpec, *, request_id: str = "") -> Job:
        """Put a job into the queue. The same `request_id` again gives the same job again.

        Raises:
            RequestRefusedError: with every field that cannot be.

        """
        request = pb.CreateJobRequest(
            spec=wire.from_spec(spec), request_id=request_id or uuid.uuid4().hex
        )
        return wire.to_job(await self._calls.ask(lambda: self._stub.CreateJob(request)))

    async def get(self, job_id: str) -> Job:
        request = pb.GetJobRequest(job_id=job_id)
        with naming(job_id):
            return wire.to_job(await self._calls.ask(lambda: self._stub.GetJob(request)))

    async def preview(self, job_id: str) -> FarmPreview | None:
        """Where a job can be watched while it is rendered; None if the farm serves no previews."""
        request = pb.GetJobRequest(job_id=job_id)
        with naming(job_id):
            return to_farm_preview(await self._calls.ask(lambda: self._stub.GetJob(request)))

    async def jobs(self, *, limit: int = _PAGE) -> list[Job]:
        """The newest jobs, newest first, at most `limit`."""
        jobs: list[Job] = []
        request = pb.ListJobsRequest(page_size=min(limit, _PAGE))
        while True:
            page = await self._calls.ask(lambda: self._stub.ListJobs(request))
            jobs += map(wire.to_job, page.jobs)
            if not page.next_page_token or len(jobs) >= limit:
                return jobs[:limit]
            request.page_token = page.next_page_token

    async def cancel(self, job_id: str) -> Job:
        """Stop a job. Returns when its work has ended on every worker."""
        request = pb.CancelJobRequest(job_id=job_id)
        with naming(job_id):
            return wire.to_job(await self._calls.ask(lambda: self._stub.CancelJob(request)))

    async def pause(self, job_id: str) -> Job:
        """Let no more of a job begin; what runs of it finishes. One that assembles goes on."""
        request = pb.PauseJobRequest(job_id=job_id)
        with naming(job_id):
            return wire.to_job(await self._calls.ask(lambda: self._stub.PauseJob(request)))

    async def resume(self, job_id: str) -> Job:
        request = pb.ResumeJobRequest(job_id=job_id)
        with naming(job_id):
            return wire.to_job(await self._calls.ask(lambda: self._stub.ResumeJob(request)))

    async def delete(self, job_id: str) -> None:
        """Have the farm forget a job that has ended, and all files that it keeps of it.

        Raises:
            CallFailedError: it has not ended (JOB_RUNNING), or another one is to come after it
                (JOB_NEEDED).

        """
        request = pb.DeleteJobRequest(job_id=job_id)
        with naming(job_id):
            await self._calls.ask(lambda: self._stub.DeleteJob(request))

    async def farm(self) -> FarmStatus:
        """Whether anything begins on the farm now, and how much there is to do."""
        return to_farm_status(
            await self._calls.ask(lambda: self._stub.GetFarm(pb.GetFarmRequest()))
        )

    async def workers(self) -> list[FarmWorker]:
        response = await self._calls.ask(lambda: self._stub.ListWorkers(pb.ListWorkersRequest()))
        return [to_farm_worker(message) for message in response.workers]

    @asynccontextmanager
    async def watch(
        self, job_id: str, *, after_sequence: int = 0
    ) -> AsyncGenerator[AsyncGenerator[JobEvent]]:
        """The job's events after `after_sequence`: those that were, then those that come.

        They end with the event that ends the job. The call ends with the block.
        """
        async with aclosing(self._events(job_id, after_sequence)) as events:
            yield events

    async def wait(self, job_id: str) -> Job:
        """Wait until a job has ended, however it ended."""
        async with self.watch(job_id) as events:
            async for _ in events:
                pass
        return await self.get(job_id)

    async def download(self, job_id: str, output: Path) -> Output:
        """Bring a job's video to `output`, which changes only when all its bytes are right.

        Raises:
            JobFailedError, JobCancelledError: there is no video.
            DownloadDamagedError: other bytes came than the job promised.
            OSError: the disk.

        """
        promised = output_of(await self.get(job_id))
        await self._fetch(pb.DownloadOutputRequest(job_id=job_id), output, promised)
        return promised

    async def download_file(self, job_id: str, name: str, path: Path) -> StoredOutput:
        """Bring the file that a job's `output.files` call `name` to `path`.

        Raises:
            JobFailedError, JobCancelledError, DownloadDamagedError, OSError: as `download`.
            CallFailedError: it has made no such file (NO_FILE).

        """
        made = output_of(await self.get(job_id)).files
        promised = next((file for file in made if file.name == name), None)
        if promised is None:
            raise CallFailedError(
                f"job {job_id} has made no file {name!r:.80}",
                status=grpc.StatusCode.NOT_FOUND.name,
                reason="NO_FILE",
            )
        request = pb.DownloadOutputRequest(job_id=job_id, part=pb.OUTPUT_PART_FILE, name=name)
        await self._fetch(request, path, promised)
        return promised

    async def download_manifest(self, job_id: str, path: Path) -> StoredFile:
        """Bring the manifest of a job's frames to `path`: JSON lines, one for each frame.

        Raises:
            JobFailedError, JobCancelledError, DownloadDamagedError, OSError: as `download`.
            CallFailedError: the job is of an older version and has none (NO_MANIFEST).

        """
        promised = manifest_of_frames(await self.get(job_id))
        request = pb.DownloadOutputRequest(job_id=job_id, part=pb.OUTPUT_PART_MANIFEST)
        await self._fetch(request, path, promised)
        return promised

    async def download_pictures(self, job_id: str, folder: Path) -> list[Path]:
        """Bring the pictures that show why a job failed into a folder, which is made for them.

        Raises:
            DownloadDamagedError, OSError: as `download`.

        """
        job = await self.get(job_id)
        paths: list[Path] = []
        for picture in job.error.pictures if job.error else ():
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            path = folder / plain_name(picture.name)
            request = pb.DownloadOutputRequest(
                job_id=job_id, part=pb.OUTPUT_PART_PICTURE, name=picture.name
            )
            await self._fetch(request, path, picture)
            paths.append(path)
        return paths

    async def _fetch(
        self, request: pb.DownloadOutputRequest, path: Path, promised: Promised
    ) -> None:
        async with landing(path, promised) as arriving:
            patience = self._calls.patience()
            while arriving.size_bytes < promised.size_bytes:
                request.offset = arriving.size_bytes
                call = self._stub.DownloadOutput(request)
                try:
                    async for response in call:
                        await arriving.write(response.data)
                        patience.renew()
                    break
                except grpc.aio.AioRpcError as error:
                    await patience.bear(error)
                finally:
                    call.cancel()

    async def _events(self, job_id: str, after_sequence: int) -> AsyncGenerator[JobEvent]:
        patience = self._calls.patience()
        while True:
            request = pb.WatchJobRequest(job_id=job_id, after_sequence=after_sequence)
            call = self._stub.WatchJob(request)
            try:
                async for message in call:
                    patience.renew()
                    self._calls.answered = True
                    after_sequence = message.sequence
                    yield wire.to_job_event(message)
            except grpc.aio.AioRpcError as error:
                with naming(job_id):
                    await patience.bear(error)
            else:
                return
            finally:
                call.cancel()
