"""RenderOrchestrator: a plan → a video, through any executor."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from executors.plugins import ExecutorContext, executor_named
from executors.tasks import task_group
from renderer.tools import find_ffmpeg

from .artifacts.bundles import KeptBundles, bundles_of
from .assembly import ChunkFile
from .chunk_files import ChunkFiles
from .exhibition import Exhibition
from .extras import Extras, unheld
from .growing import FilmSoFar
from .history import jumped_or_played, settle
from .job import (
    Event,
    JobSpec,
    JobState,
    Output,
    StateChanged,
)
from .making import Material, facts_of, make_files
from .manifest import write_manifest
from .output_files import SoundFile, StillFile, ending_of, holds_sound
from .plan_run import PlanRun
from .planner import Plan, plan
from .soundtrack import Soundtrack, heard_in, open_soundtrack
from .subtitles import subtitle_streams, with_burned
from .verification import Verification
from .workplace import workplace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence

    from executors.base import ChunkResult, RenderExecutor
    from renderer.audio.passages import SoundSource
    from renderer.bundle import BundleStore

    from .artifacts.shelf import Shelf
    from .findings import Findings
    from .growing import PlanFollower

    OnEvent = Callable[[Event], None]


class JobAbortedError(Exception):
    """The job was stopped by whoever set its abort event; nothing of it runs any more."""


class RenderOrchestrator:
    """Runs every chunk of a plan through an executor, joins the files and mixes the sound.

    The first error of any chunk stops all others and is raised as it is. Without an executor,
    chunks are rendered here, by a `LocalExecutor`. `bundles` is where compositions and sounds are.
    With a `shelf`, bundles and finished chunks are brought from wherever it keeps them, and chunks
    and outputs are kept there; of outputs no copy stays here, if that is elsewhere.
    """

    def __init__(  # noqa: PLR0913  # wiring: each is one thing that it works with
        self,
        bundles: BundleStore,
        executor: RenderExecutor | None = None,
        *,
        shelf: Shelf | None = None,
        environment: Mapping[str, str] = os.environ,
        follower: PlanFollower | None = None,
        term: int | None = None,
    ) -> None:
        self._term = term
        self._follower = follower
        self._bundles = bundles
        self._executor = executor
        self._shelf = shelf
        self._environment = environment
        self._looking = asyncio.Semaphore(len(os.sched_getaffinity(0)))

    def plan(self, spec: JobSpec, *, job_id: str, concurrency: int | None = None) -> Plan:
        """Cut a job into chunks; pure. With `concurrency`, into just so many of equal length."""
        return plan(job_id, spec, concurrency=concurrency)

    async def render(  # noqa: PLR0913  # one run, and each file of it has a place of its own
        self,
        plan: Plan,
        output: Path,
        *,
        on_event: OnEvent = lambda _: None,
        abort: asyncio.Event | None = None,
        chunks: Path | None = None,
        manifest: Path | None = None,
        pictures: Path | None = None,
    ) -> Output:
        """Render a plan to a video that is kept as `output` when this returns, whole and verified.

        Where the job names its outputs, that is the first of them, and the others stand beside it
        (`output_files.path_of`); none has its name before all are verified.

        Chunk files stand in a temporary folder beside it until then. Or in the folder `chunks`,
        which stays: what it holds of the same plan from an earlier call is not rendered again.
        `manifest` gets a line of JSON for each frame: its digest, and who rendered it. `pictures`
        is a folder that is made when chunks do not fit together, for what they show of the frame.

        Raises:
            JobAbortedError: `abort` was set; everything that ran has been stopped.
            ExecutorError: a chunk could not be rendered: the first cause, not what followed.
            StorageError: something could not be kept; what is finished is, for another call.
            RenderError: the chunks could not be joined, or the sound not mixed.

        """
        abort = abort or asyncio.Event()
        if abort.is_set():
            raise JobAbortedError(plan.job_id)
        tools = find_ffmpeg(self._environment)
        with _folder(chunks, output) as folder, workplace(output, term=self._term) as work:
            async with _ended_by(abort, plan.job_id), self._open_executor() as executor:
                await self._bring_bundles(plan.spec)
                files = ChunkFiles(folder, self._shelf, term=self._term)
                plan = await self._settled(plan, executor, on_event, files.findings)
                async with self._heard(plan, files, work, tools, on_event) as (soundtrack, hear):
                    verify = Verification(tools[1], self._looking)
                    run = PlanRun(plan, executor, files, on_event=hear, verify=verify)
                    async with Exhibition(pictures, tools[0], self._shelf).of_mismatch():
                        results = await _filmed(run, soundtrack, files.findings, hear)
                    hear(StateChanged(JobState.ASSEMBLING))
                    material = await self._material(run, files, results, soundtrack, tools)
                    paths = await make_files(material, plan.spec.files, output, workplace=work)
        facts = await facts_of(plan.spec, paths, material.size_px)
        if manifest is not None:
            written = await write_manifest(manifest, plan.tasks, results)
            facts, paths = replace(facts, manifest=written), (*paths, manifest)
        if self._shelf is not None:
            async with _ended_by(abort, plan.job_id):
                await self._shelf.hand_over(*paths)
        warnings = (*_warnings(results), *soundtrack.warnings, *unheld(plan.spec))
        return replace(facts, warnings=warnings)

    async def _bring_bundles(self, spec: JobSpec) -> None:
        if self._shelf is not None:
            await KeptBundles(self._bundles, self._shelf).bring(bundles_of(spec))

    @asynccontextmanager
    async def _heard(
        self,
        plan: Plan,
        files: ChunkFiles,
        work: Path,
        tools: tuple[Path, Path],
        on_event: OnEvent,
    ) -> AsyncGenerator[tuple[Soundtrack, OnEvent]]:
        """Open what a film is heard from; what the events say goes to who follows it, too."""
        ffmpeg, ffprobe = tools
        async with AsyncExitStack() as stack:
            opening = open_soundtrack(
                plan.spec, self._bundles, work, ffmpeg=ffmpeg, ffprobe=ffprobe
            )
            soundtrack = await stack.enter_async_context(opening)
            if self._follower is not None:
                film = FilmSoFar(plan, files, soundtrack, self._sound_file(files))
                following = self._follower.following(plan, film, on_event)
                on_event = await stack.enter_async_context(following)
            yield soundtrack, on_event

    async def _material(
        self,
        run: PlanRun,
        files: ChunkFiles,
        results: Sequence[ChunkResult],
        soundtrack: Soundtrack,
        tools: tuple[Path, Path],
    ) -> Material:
        plan = run.plan
        if not all(isinstance(file, StillFile) for file in plan.spec.files):
            await soundtrack.add(heard_in(plan, results), self._sound_file(files))
        mix, (ffmpeg, ffprobe) = await _mixed(plan, soundtrack), tools
        return Material(
            chunks=tuple(_chunk_files(plan, files)),
            settings=plan.tasks[0].settings,
            size_px=(results[0].width_px, results[0].height_px),
            mix=mix,
            sound=mix or await _silence(plan, soundtrack),
            extras=await self._extras(plan.spec),
            ffmpeg=ffmpeg,
            ffprobe=ffprobe,
        )

    async def _extras(self, spec: JobSpec) -> Extras:
        subtitles = await subtitle_streams(spec, self._bundles)
        return Extras(subtitles=subtitles, metadata=spec.metadata)

    async def _settled(
        self, plan: Plan, executor: RenderExecutor, on_event: OnEvent, findings: Findings
    ) -> Plan:
        settled = await settle(plan, executor, on_event, findings)
        return await with_burned(settled, self._bundles)

    def _sound_file(self, files: ChunkFiles) -> Callable[[SoundSource], Path]:
        """Where a source that a page is heard from stands."""

        def find(source: SoundSource) -> Path:
            if source.is_bundled:
                return self._bundles.blob(source.sha256)
            return files.sound(source.sha256)

        return find

    @asynccontextmanager
    async def _open_executor(self) -> AsyncGenerator[RenderExecutor]:
        if self._executor is not None:
            yield self._executor
            return
        context = ExecutorContext(bundles=self._bundles, environment=self._environment)
        # By name: a coordinator with a fleet starts without all that it takes to render here.
        opening = await asyncio.to_thread(executor_named, "local")
        async with opening(context) as executor:
            yield executor


def _chunk_files(plan: Plan, files: ChunkFiles) -> Iterator[ChunkFile]:
    for task in plan.tasks:
        yield ChunkFile(path=files.path(task), frames=task.frames)


async def _filmed(
    run: PlanRun, soundtrack: Soundtrack, findings: Findings, on_event: OnEvent
) -> list[ChunkResult]:
    """Render all chunks, and meanwhile get the sounds ready."""
    try:
        async with task_group() as group:
            group.create_task(soundtrack.prepare(), name="prepare-sound")
            return await jumped_or_played(run, findings, on_event)
    finally:
        await run.end()


async def _mixed(plan: Plan, soundtrack: Soundtrack) -> Path | None:
    """The file of the mix; none where there is no place for it, with a warning."""
    if all(isinstance(file, StillFile) for file in plan.spec.files):
        return None
    mix, files, settings = await soundtrack.mix(), plan.spec.files, plan.spec.settings
    if mix is not None and not any(holds_sound(file, settings) for file in files):
        endings = ", ".join(dict.fromkeys(ending_of(file, settings) for file in files))
        soundtrack.warnings.append(f"sound: {endings} files hold none, and this one is silent")
        return None
    return mix


async def _silence(plan: Plan, soundtrack: Soundtrack) -> Path | None:
    """What a sound file holds where nothing is heard; a film has no track of sound then."""
    if not any(isinstance(file, SoundFile) for file in plan.spec.files):
        return None
    soundtrack.warnings.append("sound: nothing is heard, and the sound file is silence")
    return await soundtrack.silence()


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


def _warnings(results: Sequence[ChunkResult]) -> tuple[str, ...]:
    """What any chunk warned of, each once: most are the same in all."""
    return tuple(dict.fromkeys(text for result in results for text in result.warnings))
