"""SimRunner: a job's way with the real plan and the real PlanRun, without ffmpeg and browsers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from coordinator.artifacts.shelf import Shelf
from coordinator.chunk_files import ChunkFiles
from coordinator.findings import Findings, Found
from coordinator.job import Event, Job, JobSpec, JobState, Output, StateChanged
from coordinator.job_files import FolderJobFiles
from coordinator.orchestrator import JobAbortedError, _ended_by
from coordinator.plan_run import PlanRun
from coordinator.planner import Plan, plan
from executors.base import ChunkResult, ChunkTask, RenderExecutor
from executors.errors import ChunkDamagedError, StorageFullError
from executors.orders import FilesOnDisk
from renderer.settings import RenderSettings

from .loop import Process, ProcessKilled, VirtualLoop
from .machine import sha256_of
from .room import Room
from .wall import Wall
from .watch import Watch

WRITE_S: Final = 0.002
ASSEMBLE_S: Final = 0.5
FOLDER: Final = Path("/chunks")


@dataclass(eq=False, slots=True)
class Cupboard:
    """What coordinators keep on their disk: files, notes of finished chunks, videos."""

    watch: Watch
    loop: VirtualLoop
    room: Room
    wall: Wall
    notes: dict[str, dict[int, tuple[ChunkTask, ChunkResult]]] = field(default_factory=dict)
    findings: dict[str, Found] = field(default_factory=dict)
    outputs: dict[Path, str] = field(default_factory=dict)
    makers: dict[Path, Process] = field(default_factory=dict)  # of outputs, whoever wrote them last
    touched_at: dict[str, datetime] = field(default_factory=dict)  # what is kept of a job

    @property
    def files(self) -> dict[Path, str]:
        return self.room.files

    async def write(self, process: Process) -> None:
        """Wait as long as a write takes; a process that has died writes nothing."""
        self._check(process)
        await asyncio.sleep(WRITE_S)
        self._check(process)

    async def fill(self, process: Process, job_id: str) -> None:
        """Write something of a job that takes room."""
        await self.write(process)
        if self.room.is_full:
            raise StorageFullError(f"{FOLDER} is full: make room there")
        self.touched_at[job_id] = self.wall.now(process)

    def chunks(self, job_id: str) -> Path:
        return FOLDER / job_id

    def outputs_of(self, job_id: str) -> list[Path]:
        return [path for path in self.outputs if job_of(path) == job_id]

    def place(self, process: Process, output: Path, video: str) -> None:
        if self.makers.setdefault(output, process) is not process:
            self.watch.broken("names", f"{process.name} replaces {output} of another coordinator")
        self.outputs[output] = video

    def forget(self, job_id: str) -> None:
        self.notes.pop(job_id, None)
        self.findings.pop(job_id, None)
        folder = self.chunks(job_id)
        for path in [path for path in self.files if path.parent == folder]:
            del self.files[path]

    def _check(self, process: Process) -> None:
        if process in self.loop.dead:
            raise ProcessKilled


def job_of(output: Path) -> str:
    """Whose video it is."""
    return output.name.partition(".")[0]


class SimAttemptFiles(FilesOnDisk):
    """The real names, in a cupboard."""

    def __init__(self, cupboard: Cupboard, process: Process, *, term: int) -> None:
        super().__init__(term=term)
        self._cupboard = cupboard
        self._process = process

    async def accept(self, path: Path, output: Path) -> None:
        await self._cupboard.write(self._process)
        if path not in self._cupboard.files:
            raise FileNotFoundError(path)
        self._cupboard.files[output] = self._cupboard.files.pop(path)
        self._cupboard.touched_at[output.parent.name] = self._cupboard.wall.now(self._process)
        index = int(output.stem.rpartition("-")[2])
        self._cupboard.watch.accepted(self._process, output.parent.name, index)

    async def discard(self, path: Path) -> None:
        await self._cupboard.write(self._process)
        self._cupboard.files.pop(path, None)


class SimJobFiles:
    """coordinator.job_files.JobFiles in a cupboard."""

    def __init__(self, cupboard: Cupboard, process: Process, *, term: int) -> None:
        self._cupboard = cupboard
        self._process = process
        self._real = FolderJobFiles(Shelf(FOLDER), term=term)

    @property
    def term(self) -> int:
        return self._real.term

    def output(self, job: Job) -> Path:
        return self._real.output(job)

    def manifest(self, job: Job) -> Path:
        return self._real.manifest(job)

    def pictures(self, job: Job) -> Path:
        return self._real.pictures(job)

    def chunks(self, job_id: str) -> Path:
        return self._cupboard.chunks(job_id)

    async def read(self, path: Path, *, offset: int) -> AsyncGenerator[bytes]:
        await self._cupboard.write(self._process)
        yield self._cupboard.outputs[path].encode()[offset:]

    async def begun(self) -> Collection[str]:
        return {path.parent.name for path in self._cupboard.files}

    async def sweep(self, ended: Collection[str], begun: Collection[str] = ()) -> None:
        await self._cupboard.write(self._process)
        for name in sorted(ended):
            self._cupboard.forget(name)
        for name in sorted(begun):
            for path in self._cupboard.outputs_of(name):
                if self._real._is_earlier(path):
                    del self._cupboard.outputs[path]

    async def forget_chunks(self, job_id: str) -> None:
        await self._cupboard.write(self._process)
        self._cupboard.forget(job_id)

    async def discard_outputs(self, job: Job) -> None:
        await self._cupboard.write(self._process)
        self._cupboard.watch.note(f"{self._process.name} discards what {job.id} has made")
        for path in self._cupboard.outputs_of(job.id):
            if job.output is None or path != self.output(job):
                del self._cupboard.outputs[path]

    async def delete(self, job_id: str) -> None:
        await self.forget_chunks(job_id)
        self._cupboard.watch.note(f"{self._process.name} deletes what is kept of {job_id}")
        for path in self._cupboard.outputs_of(job_id):
            del self._cupboard.outputs[path]

    async def forget_needless(self, job: Job, kept: Collection[Path]) -> None:
        if any(path.parent == self.chunks(job.id) for path in kept):
            await self.forget_chunks(job.id)
        own = self.output(job) if job.output else None
        if any(path in self._cupboard.outputs and path != own for path in kept):
            await self.discard_outputs(job)

    async def kept(self, *, before: datetime) -> Mapping[str, Collection[Path]]:
        cupboard = self._cupboard
        await cupboard.write(self._process)
        kept = {path.parent.name for path in cupboard.files} | set(map(job_of, cupboard.outputs))
        now = cupboard.wall.now(self._process)
        old = sorted(each for each in kept if cupboard.touched_at.get(each, now) < before)
        files = {
            each: [path for path in cupboard.files if path.parent.name == each] for each in old
        }
        return {each: [*files[each], *cupboard.outputs_of(each)] for each in old}

    async def sizes(self) -> Mapping[str, int]:
        return {job_of(path): len(output) for path, output in self._cupboard.outputs.items()}


class SimFindings(Findings):
    """What was found out about a job, in a cupboard."""

    def __init__(self, cupboard: Cupboard, process: Process, job_id: str) -> None:
        super().__init__(cupboard.chunks(job_id))
        self._cupboard = cupboard
        self._process = process
        self._job_id = job_id

    async def read(self) -> Found:
        await self._cupboard.write(self._process)
        return self._cupboard.findings.get(self._job_id, Found())

    async def keep(self, found: Found) -> None:
        await self._cupboard.write(self._process)
        self._cupboard.findings[self._job_id] = found


class SimChunkFiles(ChunkFiles):
    """The finished chunks of a job, in a cupboard."""

    def __init__(self, cupboard: Cupboard, process: Process, job_id: str) -> None:
        super().__init__(cupboard.chunks(job_id))
        self.findings = SimFindings(cupboard, process, job_id)
        self._cupboard = cupboard
        self._process = process
        self._notes = cupboard.notes.setdefault(job_id, {})

    async def keep(self, task: ChunkTask, result: ChunkResult) -> None:
        await self._cupboard.fill(self._process, task.job_id)
        self._notes[task.index] = (task, result)
        self._cupboard.watch.kept(self._process, task, result)

    async def finished(self, tasks: Sequence[ChunkTask]) -> dict[int, ChunkResult | None]:
        await self._cupboard.write(self._process)
        return {task.index: self._finished(task) for task in tasks}

    async def drop(self, tasks: Sequence[ChunkTask]) -> None:
        await self._cupboard.write(self._process)
        for task in tasks:
            if self._notes.pop(task.index, None) is not None:
                self._cupboard.watch.dropped(self._process, task)

    def _finished(self, task: ChunkTask) -> ChunkResult | None:
        if (note := self._notes.get(task.index)) is None:
            return None
        made, result = note
        content = self._cupboard.files.get(self.path(task), "")
        is_whole = made.frames == task.frames and result.sha256 == sha256_of(content)
        return result if is_whole else None


def verifier(cupboard: Cupboard) -> Callable[[ChunkTask, ChunkResult, Path], Awaitable[None]]:
    """What the coordinator does with ffprobe, on the text of a simulated chunk."""

    async def verify(task: ChunkTask, result: ChunkResult, path: Path) -> None:
        await asyncio.sleep(WRITE_S)
        content = cupboard.files.get(path, "")
        if sha256_of(content) != result.sha256:
            raise ChunkDamagedError(f"chunk {task.index} is not the file that {result.worker} sent")
        if f"[{task.frames.start},{task.frames.stop})" not in content:
            cupboard.watch.refused(task)
            raise ChunkDamagedError(f"chunk {task.index} of {result.worker} has other frames")

    return verify


class SimRunner:
    """The simulation's JobRunner."""

    def __init__(self, executor: RenderExecutor, cupboard: Cupboard, process: Process) -> None:
        self._executor = executor
        self._cupboard = cupboard
        self._process = process
        self._verify = verifier(cupboard)

    def plan(self, spec: JobSpec, *, job_id: str) -> Plan:
        return plan(job_id, spec)

    async def render(
        self,
        plan: Plan,
        output: Path,
        *,
        on_event: Callable[[Event], None],
        abort: asyncio.Event | None,
        chunks: Path | None,
        manifest: Path | None,
        pictures: Path | None,
    ) -> Output:
        del chunks, manifest, pictures
        assert abort is not None
        if abort.is_set():
            raise JobAbortedError(plan.job_id)
        files = SimChunkFiles(self._cupboard, self._process, plan.job_id)
        async with _ended_by(abort, plan.job_id):
            run = PlanRun(plan, self._executor, files, on_event=on_event, verify=self._verify)
            try:
                results = await run.all_chunks()
            finally:
                await run.end()
            on_event(StateChanged(JobState.ASSEMBLING))
            return await self._assemble(plan, files, results, output)

    async def _assemble(
        self, plan: Plan, files: SimChunkFiles, results: list[ChunkResult], output: Path
    ) -> Output:
        await asyncio.sleep(ASSEMBLE_S)
        await self._cupboard.fill(self._process, plan.job_id)
        video = "".join(self._cupboard.files[files.path(task)] for task in plan.tasks)
        self._cupboard.place(self._process, output, video)
        self._cupboard.watch.assembled(plan, video)
        settings: RenderSettings = plan.spec.settings
        return Output(
            size_bytes=len(video),
            sha256=hashlib.sha256(video.encode()).hexdigest(),
            frames=sum(result.frames for result in results),
            width_px=settings.width_px,
            height_px=settings.height_px,
        )


class NoBundles:
    """coordinator.artifacts.bundles.KeptBundles of jobs that have none."""

    def __init__(self) -> None:
        self.here = self.shelf = self.store = self
        self.root = FOLDER

    async def files_in(self, folder: Path) -> Mapping[Path, Any]:
        del folder
        return {}

    async def forget(self, *paths: Path) -> None:
        assert not paths

    async def forget_unended(self, *, before: datetime) -> int:
        del before
        return 0
