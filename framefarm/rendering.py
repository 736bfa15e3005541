"""render(): a page becomes a video, on a farm or on this machine. The CLI takes the same way."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Unpack

from coordinator.job import JobState

from .client import FarmClient
from .errors import FarmError, JobCancelledError, JobFailedError
from .fetching import RenderedFile, fetch
from .local_farm import local_farm, slot_count
from .patience import WAIT_S
from .preparation import OutputFiles, Place, PreparedJob, output_files, prepare
from .request import RenderOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
    from pathlib import Path
    from typing import Any

    from coordinator.job import Job, JobEvent, JobSpec

    from .farm_preview import FarmPreview

log = logging.getLogger(__name__)

# A worker stops a chunk in well under a second; beyond this, the farm is not answering.
CANCEL_LIMIT_S: Final = 10.0
# A local coordinator that is gone does not come back.
_LOCAL_PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedVideo:
    """A finished video; `seconds` is how long it took, all in all. `files` are all that was made.

    `output` and `sha256` are those of the first.
    """

    job_id: str
    output: Path
    frames: int
    seconds: float
    sha256: str
    warnings: tuple[str, ...] = ()  # what the page did not get: pictures, fonts, …
    files: tuple[RenderedFile, ...] = ()


class RenderWatcher(Protocol):
    """Is told what happens, from the event loop: none of it may block."""

    def created(self, job: Job) -> None: ...

    def told(self, event: JobEvent) -> None: ...

    def said(self, message: str) -> None: ...


async def render(  # noqa: PLR0913  # what a user may say
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    outputs: Sequence[str | os.PathLike[str]] = (),
    manifest: str | os.PathLike[str] | None = None,
    pictures: str | os.PathLike[str] | None = None,
    farm: str | None = None,
    workers: int | None = None,
    wait_s: float = WAIT_S,
    on_progress: Callable[[JobEvent], None] | None = None,
    **options: Unpack[RenderOptions],
) -> RenderedVideo:
    """Render a page (an .html file, a folder with index.html, or a URL) to a file, or to several.

    Its ending says of which kind: .mp4, .mov, .webm, .mkv, .gif, .apng, .webp, one picture of one
    frame (.png, .jpg), a picture a frame (`frames/%05d.png`), or sound alone (.wav, .m4a, .mp3,
    .flac, .ogg, .opus). `outputs` are more files of the same frames, which are rendered once; a
    text may say options of its own (`a.webm,crf=30`), or one frame of the film (`poster.png@3s`).

    Without `farm` (HOST:PORT of a coordinator) a coordinator runs here for as long as it takes, and
    renders itself, or has `workers` workers. When this raises, `output` is as it was; when it is
    cancelled, the job has been cancelled too, and its work has ended. A farm that takes nothing now
    is waited for up to `wait_s`. `on_progress` is called from the event loop. `manifest` is a file
    for a line of JSON about each frame, `pictures` a folder that is made when the job fails and
    there are pictures that show why.

    Raises:
        InvalidRequestError, RequestRefusedError: the request is wrong; `violations` says where.
        JobFailedError, JobCancelledError: there is no video; `job.error` says why.
        FarmError: the farm is out of reach, or did not start.
        OSError: `output` cannot be written.

    """
    place = Place(farm=farm, workers=workers, wait_s=wait_s)
    said = [*([] if output is None else [output]), *outputs]
    files = output_files(said, manifest=manifest, pictures=pictures)
    prepared = await prepare(os.fspath(source), options, output=files, place=place)
    return await render_prepared(prepared, files, place, ProgressOnly(on_progress))


async def render_prepared(
    prepared: PreparedJob, files: OutputFiles, place: Place, watcher: RenderWatcher
) -> RenderedVideo:
    """Run a job that `prepare()` found right, and bring its files here."""
    began_s = time.monotonic()
    async with _farm(place, prepared.spec, watcher) as farm:
        async with _fetching_pictures(farm, files, watcher):
            job = await run_job(farm, prepared, watcher, shows_preview=place.preview)
        fetched = await fetch(farm, job.id, files)
    return RenderedVideo(
        job_id=job.id,
        output=files.output,
        frames=fetched.output.frames,
        seconds=round(time.monotonic() - began_s, 3),
        sha256=fetched.files[0].sha256,
        warnings=fetched.output.warnings,
        files=fetched.files,
    )


@asynccontextmanager
async def _fetching_pictures(
    farm: FarmClient, files: OutputFiles, watcher: RenderWatcher
) -> AsyncGenerator[None]:
    """When the job fails, bring what shows why: a local farm takes it along when it ends."""
    try:
        yield
    except JobFailedError as failed:
        if files.pictures is not None:
            try:
                brought = await farm.download_pictures(failed.job.id, files.pictures)
            except (FarmError, OSError) as error:  # why the job failed is to be told
                watcher.said(f"the pictures of it did not come: {error}")
            else:
                failed.pictures = tuple(brought)
        raise


async def run_job(
    farm: FarmClient, prepared: PreparedJob, watcher: RenderWatcher, *, shows_preview: bool = False
) -> Job:
    """Create a job and follow it to its success; cancel it when this is left before its end.

    Raises:
        JobFailedError, JobCancelledError: it ended otherwise.

    """
    await send_bundles(farm, prepared)
    request_id = uuid.uuid4().hex
    settled, job_id = False, ""
    try:
        job = await farm.create(prepared.spec, request_id=request_id)
        job_id = job.id
        watcher.created(job)
        if shows_preview:
            watcher.said(_preview_text(await farm.preview(job.id)))
        job = await follow(farm, job.id, watcher)
        settled = True
    except FarmError:
        settled = True  # refused, failed, or there is nobody to tell
        raise
    finally:
        if not settled:
            cancelling = _cancelled(farm, prepared.spec, request_id, job_id)
            await _cancel(cancelling, watcher)
    return job


def _preview_text(preview: FarmPreview | None) -> str:
    if preview is None:
        return "no preview: the farm's coordinator runs without --preview"
    return f"preview: {preview.url}" if preview.url else f"no preview: {preview.problem}"


async def send_bundles(farm: FarmClient, prepared: PreparedJob) -> None:
    for bundle in prepared.bundles:
        await farm.send(bundle.folder, bundle.manifest)


async def follow(farm: FarmClient, job_id: str, watcher: RenderWatcher) -> Job:
    """Tell `watcher` a job's events until it succeeds.

    Raises:
        JobFailedError, JobCancelledError: it ended otherwise.

    """
    async with farm.watch(job_id) as events:
        async for event in events:
            watcher.told(event)
    job = await farm.get(job_id)
    if job.state is JobState.CANCELLED:
        raise JobCancelledError(job)
    if job.state is not JobState.SUCCEEDED:
        raise JobFailedError(job)
    return job


async def _cancelled(farm: FarmClient, spec: JobSpec, request_id: str, job_id: str) -> Job:
    if not job_id:
        # The answer to our first call has not come: the same request names the same job.
        job_id = (await farm.create(spec, request_id=request_id)).id
    return await farm.cancel(job_id)


async def _cancel(cancelling: Coroutine[Any, Any, Job], watcher: RenderWatcher) -> None:
    try:
        # asyncio.timeout does not say TimeoutError in a task that is being cancelled, before
        # Python 3.11.4; Debian 12 has 3.11.2.
        job = await asyncio.wait_for(cancelling, CANCEL_LIMIT_S)
    except TimeoutError:
        watcher.said(f"the farm did not acknowledge the cancel within {CANCEL_LIMIT_S:g} s")
    except FarmError as error:
        watcher.said(f"the job could not be cancelled: {error}")
    else:
        watcher.said(f"job {job.id} is {job.state}; its work has ended on every worker")


@asynccontextmanager
async def _farm(place: Place, spec: JobSpec, watcher: RenderWatcher) -> AsyncGenerator[FarmClient]:
    if place.farm:
        async with FarmClient(place.farm, wait_s=place.wait_s, on_wait=watcher.said) as farm:
            yield farm
        return
    slots = slot_count(place.workers, spec)
    if place.workers is None:
        watcher.said(f"rendering here, {slots} chunk{'s' if slots > 1 else ''} at a time")
        here = local_farm(slots=slots, preview=place.preview, ahead=place.ahead)
    else:
        watcher.said(f"starting a farm of {slots} worker{'s' if slots > 1 else ''} here")
        here = local_farm(workers=slots, preview=place.preview)
    async with (
        here as address,
        FarmClient(address, patience_s=_LOCAL_PATIENCE_S, wait_s=0.0) as farm,
    ):
        yield farm


class ProgressOnly:
    """Hands events on; what is said goes to the log."""

    def __init__(self, on_progress: Callable[[JobEvent], None] | None) -> None:
        self._on_progress = on_progress

    def created(self, job: Job) -> None:
        pass

    def told(self, event: JobEvent) -> None:
        if self._on_progress is not None:
            self._on_progress(event)

    def said(self, message: str) -> None:
        log.info(message)
