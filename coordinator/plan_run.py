"""PlanRun: every chunk of a plan through an executor, verified, and the same at its seams."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from executors.base import (
    AttemptLost,
    AttemptStarted,
    Edges,
    Filmed,
    FramesDone,
    JobEnder,
    PageLog,
)
from executors.errors import ChunkDamagedError, ExecutorError
from executors.tasks import task_group

from .findings import Found
from .job import ChunkMoved, ChunkState, Event, PageLogged
from .progress import Progress
from .seams import SeamMismatchError, torn

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from executors.base import ChunkEvent, ChunkResult, ChunkTask, RenderExecutor

    from .chunk_files import ChunkFiles
    from .planner import Plan
    from .seams import Seam

    OnEvent = Callable[[Event], None]
    Verify = Callable[[ChunkTask, ChunkResult, Path], Awaitable[None]]

# An executor needs to see more chunks than it has slots, and each that waits has its memory.
_MOST_OFFERED: Final = 10_000
_MOST_ENGINES: Final = 3
_SECOND_TRIES: Final = 2  # for a chunk whose file is not what was asked for


class PlanRun:
    """One plan on its way through an executor. `verify` looks at each chunk that comes."""

    def __init__(
        self,
        plan: Plan,
        executor: RenderExecutor,
        files: ChunkFiles,
        *,
        on_event: OnEvent,
        verify: Verify,
    ) -> None:
        self.plan = plan
        self._executor = executor
        self._files = files
        self._on_event = on_event
        self._verify = verify
        self._progress = Progress(plan)
        self._results: dict[int, ChunkResult] = {}
        self._engine = ""  # of the chunk that was rendered last, by this process
        self._found = Found()
        self._last = Counter[int]()  # attempt at each chunk, whether anything came of it

    async def all_chunks(self) -> list[ChunkResult]:
        """Render what no earlier process has finished, and again what does not fit together.

        A chunk that an earlier process was to render again is rendered as it would have been.

        Raises:
            ExecutorError: the first cause.

        """
        tasks = self.plan.tasks
        found = await self._files.finished(tasks)
        self._results = {index: result for index, result in found.items() if result is not None}
        self._engine = ""
        self._found = await self._files.findings.read()
        for index, result in self._results.items():
            self._teller(tasks[index]).rendered(result)
        await self._render([task for task in tasks if task.index not in self._results])
        await self._render_stale()
        _check_alike(self._results.values())
        return [self._results[task.index] for task in tasks]

    async def _render_stale(self) -> None:
        """Render again what the farm had other browsers for: it may change them in mid-job."""
        for _ in range(_MOST_ENGINES):
            engine = self._home()
            stale = _stale(self._results, engine)
            again: list[ChunkTask] = []
            for index in stale:
                row = self._results[index]
                why = f"the farm has other browsers now: {engine}, not {row.fingerprint}"
                task = replace(self.plan.tasks[index], attempt=row.attempt)
                self._teller(task).hear(AttemptLost(row.worker, row.attempt, why))
                again.append(replace(task, attempt=self._next_attempt(row)))
            await self._render(again)

    async def end(self) -> None:
        """No chunk runs any more, and none will. Cancelled, it has ended all the same."""
        if not isinstance(self._executor, JobEnder):
            return
        loop = asyncio.get_running_loop()  # first: without one, nothing is begun
        ending = loop.create_task(
            self._executor.end_job(self.plan.job_id), name=f"end-job-{self.plan.job_id}"
        )
        try:
            await asyncio.shield(ending)
        finally:  # whoever cancels a job may rely on it: nothing of it runs when this returns
            await asyncio.wait([ending])

    async def _render(self, tasks: Sequence[ChunkTask]) -> None:
        """Render chunks, and again what does not fit, to them or among those that are there."""
        for task in tasks:
            self._results.pop(task.index, None)
        await self._files.drop(tasks)
        room = asyncio.Semaphore(_MOST_OFFERED)
        async with task_group() as group:
            for index in tuple(self._results):
                await self._compare(index, group)
            for task in tasks:
                await room.acquire()
                tried = self._as_tried(task)
                self._begin(tried, group).add_done_callback(lambda _: room.release())

    def _begin(self, task: ChunkTask, group: TaskGroup) -> asyncio.Task[None]:
        return group.create_task(self._chunk(task, group), name=f"chunk-{task.index}")

    async def _chunk(self, task: ChunkTask, group: TaskGroup) -> None:
        try:
            task, result = await self._rendered(task)
        except ExecutorError as error:
            error.chunk_index = task.index
            raise
        await self._files.keep(task, result)
        self._teller(task).rendered(result)
        self._engine = result.fingerprint
        self._results[task.index] = result
        await self._compare(task.index, group)

    def _home(self) -> str:
        """The engine to stay with: of the last chunk; or of most of those that were there."""
        return self._engine or _commonest(self._results.values())

    def _next_attempt(self, row: ChunkResult) -> int:
        """Another attempt may have been begun after the one whose file was taken."""
        return max(row.attempt, self._last[row.index]) + 1

    async def _rendered(self, task: ChunkTask) -> tuple[ChunkTask, ChunkResult]:
        """Render a chunk, and once more, elsewhere, what comes broken."""
        path, teller = self._files.path(task), self._teller(task)
        tries = 1 + _SECOND_TRIES
        while True:
            task = replace(task, fits=self._home())  # more chunks are there at each try
            result = await self._executor.render(task, path, on_progress=teller.hear)
            tries -= 1
            try:
                await self._verify(task, result, path)
            except ChunkDamagedError as error:
                if not tries:
                    raise
                teller.hear(AttemptLost(result.worker, result.attempt, str(error)))
                avoid = (*task.avoid, result.worker)
                task = replace(task, attempt=self._next_attempt(result), avoid=avoid)
            else:
                return task, result

    async def _compare(self, index: int, group: TaskGroup) -> None:
        """Render both chunks of a torn seam again, once, and leave out nothing on the way."""
        seams = torn(self.plan.tasks, self._results, at=index)
        for seam in seams:
            if seam.frame in self._found.torn:
                raise SeamMismatchError(seam)
            self._found = replace(self._found, torn=self._found.torn | {seam.frame})
        again = self._again(seams)
        for task in again:  # before anything is awaited: they are compared no more
            del self._results[task.index]
        if again:
            # Dropped first: a torn seam that is known to the next coordinator, with chunks that are
            # finished on both sides of it, is one that was torn twice.
            await self._files.drop(again)
            await self._files.findings.keep(self._found)
        for task in again:
            self._begin(task, group)
        self._forget_edges(index)

    def _as_tried(self, task: ChunkTask) -> ChunkTask:
        """The task, so that nothing is left out on the way where one of its seams was torn."""
        is_torn = not self._found.torn.isdisjoint((task.frames.start, task.frames.stop))
        return replace(task, paints_all=is_torn)

    def _forget_edges(self, index: int) -> None:
        """Keep no pictures of chunks that fit to all their neighbours: there may be thousands."""
        last = len(self.plan.tasks) - 1
        for each in range(max(0, index - 1), min(last, index + 1) + 1):
            around = {max(0, each - 1), each, min(last, each + 1)}
            if around <= self._results.keys():
                self._results[each] = replace(self._results[each], edges=Edges())

    def _again(self, seams: Sequence[Seam]) -> list[ChunkTask]:
        wanted = {row.index: (row, seam) for seam in seams for row in (seam.left, seam.right)}
        tasks: list[ChunkTask] = []
        for index, (row, seam) in wanted.items():
            task = replace(self.plan.tasks[index], attempt=row.attempt)
            self._teller(task).hear(AttemptLost(row.worker, row.attempt, str(seam)))
            tasks.append(replace(task, attempt=self._next_attempt(row), paints_all=True))
        return tasks

    def _teller(self, task: ChunkTask) -> Teller:
        return Teller(task, self._progress, self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, ChunkMoved):
            self._last[event.index] = max(self._last[event.index], event.attempt)
        self._on_event(event)


class Teller:
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
            case Filmed():  # of use to whoever fills slots
                pass

    def rendered(self, result: ChunkResult) -> None:
        if made := self._progress.finished(self._task.index):
            self._on_event(made)
        self._attempt = max(self._attempt, result.attempt)
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


def _commonest(results: Iterable[ChunkResult]) -> str:
    """The fingerprint of most chunks; "" of none."""
    counted = Counter(result.fingerprint for result in results)
    return counted.most_common(1)[0][0] if counted else ""


def _stale(results: Mapping[int, ChunkResult], engine: str) -> list[int]:
    """The chunks that come from another engine than this one."""
    return [index for index, row in results.items() if row.fingerprint != engine]


def _check_alike(results: Iterable[ChunkResult]) -> None:
    """Chunks of one video have one size and come from one kind of engine."""
    kinds = {(row.width_px, row.height_px, row.fingerprint): row for row in results}
    if len(kinds) > 1:
        told = "; ".join(
            f"chunk {row.index} on {row.worker}: {row.width_px}x{row.height_px}, {row.fingerprint}"
            for row in kinds.values()
        )
        raise ChunkDamagedError(f"the chunks do not fit together: {told}")
