"""RenderOrchestrator: a plan → a video, through any executor."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from executors.base import AttemptLost, AttemptStarted, FramesDone, PageLog
from executors.errors import ChunkDamagedError, ExecutorError
from executors.local import open_local_executor
from executors.plugins import ExecutorContext
from executors.tasks import task_group
from renderer.audio.tracks import Track
from renderer.bundle import sha256_of
from renderer.encode.probe import check_chunk, probe
from renderer.errors import EncoderError
from renderer.tools import find_ffmpeg

from .assembler import Assembly, ChunkFile, assemble
from .chunk_files import ChunkFiles
from .job import (
    ChunkMoved,
    ChunkState,
    Event,
    JobSpec,
    JobState,
    Output,
    PageLogged,
    StateChanged,
)
from .planner import Plan, plan
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence

    from executors.base import ChunkEvent, ChunkResult, ChunkTask, RenderExecutor
    from renderer.bundle import BundleStore

    OnEvent = Callable[[Event], None]


class JobAbortedError(Exception):
    """The job was stopped by whoever set its abort event; nothing of it runs any more."""


class RenderOrchestrator:
    """Runs every chunk of a plan through an executor, joins the files and mixes the sound.

    The first error of any chunk stops all others and is raised as it is. Without an executor,
    chunks are rendered here, by a `LocalExecutor`. `bundles` is where compositions and sounds are.
    """

    def __init__(
        self,
        bundles: BundleStore,
        executor: RenderExecutor | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._bundles = bundles
        self._executor = executor
        self._environment = environment

    def plan(self, spec: JobSpec, *, job_id: str, concurrency: int | None = None) -> Plan:
        """Cut a job into chunks; pure. With `concurrency`, into just so many of equal length."""
        return plan(job_id, spec, concurrency=concurrency)

    async def render(
        self,
        plan: Plan,
        output: Path,
        *,
        on_event: OnEvent = lambda _: None,
        abort: asyncio.Event | None = None,
        chunks: Path | None = None,
    ) -> Output:
        """Render a plan to a video that stands at `output` when this returns, whole and verified.

        Chunk files stand in a temporary folder beside it until then. Or in the folder `chunks`,
        which stays: what it holds of the same plan from an earlier call is not rendered again.

        Raises:
            JobAbortedError: `abort` was set; everything that ran has been stopped.
            ExecutorError: a chunk could not be rendered: the first cause, not what followed.
            RenderError: the chunks could not be joined, or the sound not mixed.

        """
        abort = abort or asyncio.Event()
        if abort.is_set():
            raise JobAbortedError(plan.job_id)
        ffmpeg, ffprobe = find_ffmpeg(self._environment)
        with _folder(chunks, output) as folder:
            async with _ended_by(abort, plan.job_id), self._open_executor() as executor:
                files = ChunkFiles(folder)
                run = _Run(plan, executor, files, on_event=on_event, ffprobe=ffprobe)
                results = await run.all_chunks()
                on_event(StateChanged(JobState.ASSEMBLING))
                assembly = await self._assembly(plan, results, files)
                await assemble(assembly, output, ffmpeg=ffmpeg, ffprobe=ffprobe)
        return Output(
            size_bytes=output.stat().st_size,
            sha256=await asyncio.to_thread(sha256_of, output),
            frames=plan.frames_total,
            width_px=assembly.width_px,
            height_px=assembly.height_px,
            warnings=_warnings(results),
        )

    @asynccontextmanager
    async def _open_executor(self) -> AsyncGenerator[RenderExecutor]:
        if self._executor is not None:
            yield self._executor
            return
        context = ExecutorContext(bundles=self._bundles, environment=self._environment)
        async with open_local_executor(context) as executor:
            yield executor

    async def _assembly(
        self, plan: Plan, results: Sequence[ChunkResult], files: ChunkFiles
    ) -> Assembly:
        chunks = (ChunkFile(path=files.path(task), frames=task.frames) for task in plan.tasks)
        return Assembly(
            chunks=tuple(chunks),
            frame_rate=plan.spec.settings.frame_rate,
            width_px=results[0].width_px,
            height_px=results[0].height_px,
            tracks=await asyncio.to_thread(_tracks, plan.spec, self._bundles),
        )


class _Run:
    """One plan on its way through an executor."""

    def __init__(
        self,
        plan: Plan,
        executor: RenderExecutor,
        files: ChunkFiles,
        *,
        on_event: OnEvent,
        ffprobe: Path,
    ) -> None:
        self._plan = plan
        self._executor = executor
        self._files = files
        self._on_event = on_event
        self._ffprobe = ffprobe
        self._progress = Progress(plan)

    async def all_chunks(self) -> list[ChunkResult]:
        found = await self._files.finished(self._plan.tasks)
        results = await self._chunks(found)
        fresh = {row.fingerprint for row in results if found[row.index] is None}
        if stale := [row.index for row in results if fresh and row.fingerprint not in fresh]:
            # The farm has other browsers than it had when these were rendered.
            results = await self._chunks({row.index: row for row in results} | _none_of(stale))
        _check_alike(results)
        return results

    async def _chunks(self, found: Mapping[int, ChunkResult | None]) -> list[ChunkResult]:
        async with task_group() as group:
            chunks = [
                group.create_task(self._chunk(task, found[task.index]), name=f"chunk-{task.index}")
                for task in self._plan.tasks
            ]
        return [chunk.result() for chunk in chunks]

    async def _chunk(self, task: ChunkTask, found: ChunkResult | None) -> ChunkResult:
        path, teller = self._files.path(task), _Teller(task, self._progress, self._on_event)
        if found is not None:
            teller.rendered(found)
            return found
        await self._files.drop(task)
        try:
            result = await self._executor.render(task, path, on_progress=teller.hear)
            await self._verify(task, result, path)
        except ExecutorError as error:
            error.chunk_index = task.index
            raise
        await self._files.keep(task, result)
        teller.rendered(result)
        return result

    async def _verify(self, task: ChunkTask, result: ChunkResult, path: Path) -> None:
        """Whatever executor it came from, what is joined is what was asked for."""
        if await asyncio.to_thread(sha256_of, path) != result.sha256:
            raise ChunkDamagedError(f"chunk {task.index} is not the file that {result.worker} sent")
        try:
            check_chunk(
                await probe(self._ffprobe, path),
                frames=len(task.frames),
                width_px=result.width_px,
                height_px=result.height_px,
                frame_rate=task.settings.frame_rate,
            )
        except EncoderError as error:
            raise ChunkDamagedError(f"chunk {task.index} of {result.worker}: {error}") from error


class _Teller:
    """Makes a chunk's events the job's."""

    def __init__(self, task: ChunkTask, progress: Progress, on_event: OnEvent) -> None:
        self._task = task
        self._progress = progress
        self._on_event = on_event
        self._attempt = task.attempt

    def hear(self, event: ChunkEvent) -> None:
        match event:
            case FramesDone(done):
                if made := self._progress.at(self._task.index, done):
                    self._on_event(made)
            case PageLog(level, text):
                line = PageLogged(chunk_index=self._task.index, level=level, text=text)
                self._on_event(line)
            case AttemptStarted(worker, attempt):
                self._attempt = attempt
                self._moved(ChunkState.RENDERING, worker)
            case AttemptLost(worker, _, reason):
                self._moved(ChunkState.REQUEUED, worker, reason)

    def rendered(self, result: ChunkResult) -> None:
        if made := self._progress.finished(self._task.index):
            self._on_event(made)
        self._moved(ChunkState.RENDERED, result.worker)

    def _moved(self, state: ChunkState, worker: str, reason: str = "") -> None:
        moved = ChunkMoved(
            index=self._task.index,
            state=state,
            frames=self._task.frames,
            worker=worker,
            attempt=self._attempt,
            reason=reason,
        )
        self._on_event(moved)


@asynccontextmanager
async def _ended_by(abort: asyncio.Event, job_id: str) -> AsyncGenerator[None]:
    """Cancel the block when `abort` is set, and raise when all of it has ended."""
    async with task_group() as group:
        watching = group.create_task(_raise_when_set(abort, job_id), name="watch-for-abort")
        yield
        watching.cancel()


async def _raise_when_set(abort: asyncio.Event, job_id: str) -> None:
    await abort.wait()
    raise JobAbortedError(job_id)


@contextmanager
def _folder(chunks: Path | None, output: Path) -> Generator[Path]:
    if chunks is not None:
        chunks.mkdir(parents=True, exist_ok=True)
        yield chunks
        return
    with tempfile.TemporaryDirectory(prefix=".chunks-", dir=output.parent) as folder:
        yield Path(folder)


def _none_of(indices: Sequence[int]) -> dict[int, ChunkResult | None]:
    return dict.fromkeys(indices)


def _warnings(results: Sequence[ChunkResult]) -> tuple[str, ...]:
    """What any chunk warned of, each once: most are the same in all."""
    return tuple(dict.fromkeys(text for result in results for text in result.warnings))


def _check_alike(results: Sequence[ChunkResult]) -> None:
    """Chunks of one video have one size and come from one kind of engine."""
    kinds = {(row.width_px, row.height_px, row.fingerprint): row for row in results}
    if len(kinds) > 1:
        told = "; ".join(
            f"chunk {row.index} on {row.worker}: {row.width_px}x{row.height_px}, {row.fingerprint}"
            for row in kinds.values()
        )
        raise ChunkDamagedError(f"the chunks do not fit together: {told}")


def _tracks(spec: JobSpec, bundles: BundleStore) -> tuple[Track, ...]:
    return tuple(
        Track(
            source=bundles.files(track.source.digest)[track.source.entry],
            offset_s=track.offset_s,
            volume=track.volume,
        )
        for track in spec.audio
    )
