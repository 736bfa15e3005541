"""Which attempts a plan asks for, and of which workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.chunk_files import ChunkFiles
from coordinator.plan_run import PlanRun
from coordinator.planner import plan
from executors.base import AttemptStarted, ChunkResult, ChunkTask, OnProgress
from executors.errors import ChunkDamagedError
from tests.support.eventually import eventually
from tests.support.tasks import a_spec

Verify = Callable[[ChunkTask, ChunkResult, Path], Awaitable[None]]


def a_result(task: ChunkTask, *, fingerprint: str = "old") -> ChunkResult:
    return ChunkResult(
        index=task.index,
        frames=len(task.frames),
        width_px=64,
        height_px=64,
        size_bytes=1,
        sha256="ab",
        fingerprint=fingerprint,
        worker="w1",
        seconds=1.0,
        attempt=task.attempt,
    )


class Notes(ChunkFiles):
    """Which chunks are finished, in memory."""

    def __init__(self, *known: ChunkResult) -> None:
        super().__init__(Path("chunks"))
        self.known = {row.index: row for row in known}

    def path(self, task: ChunkTask) -> Path:
        return Path(f"chunk-{task.index}")

    async def keep(self, task: ChunkTask, result: ChunkResult) -> None:
        self.known[task.index] = result

    async def finished(self, tasks: Sequence[ChunkTask]) -> dict[int, ChunkResult | None]:
        return {task.index: self.known.get(task.index) for task in tasks}

    async def drop(self, tasks: Sequence[ChunkTask]) -> None:
        for task in tasks:
            self.known.pop(task.index, None)


@dataclass
class Engines:
    """An executor whose chunks have these fingerprints, call by call; the last one stays.

    It begins as many attempts at each chunk as `begins` says, and gives the first one's file.
    """

    fingerprints: list[str]
    begins: int = 1
    asked: list[ChunkTask] = field(default_factory=list)

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        del output
        self.asked.append(task)
        for attempt in range(task.attempt, task.attempt + self.begins):
            on_progress(AttemptStarted(f"w{attempt}", attempt))
        more = len(self.fingerprints) > 1
        fingerprint = self.fingerprints.pop(0) if more else self.fingerprints[0]
        return a_result(task, fingerprint=fingerprint)


@dataclass
class Doubt:
    """Finds so many files to be not what was asked for."""

    bad: int = 0

    async def verify(self, task: ChunkTask, result: ChunkResult, path: Path) -> None:
        del task, result, path
        if self.bad:
            self.bad -= 1
            raise ChunkDamagedError("it has other frames")


async def all_chunks(
    executor: Engines, notes: Notes, *, frames: int, verify: Verify | None = None
) -> None:
    run = PlanRun(
        plan("job", a_spec(frames)),
        executor,
        notes,
        on_event=lambda _: None,
        verify=verify or Doubt().verify,
    )
    await run.all_chunks()


async def test_a_file_that_is_not_what_was_asked_for_is_asked_of_another_worker() -> None:
    executor = Engines(["old"], begins=2)  # the second attempt has lost, and has a number

    await all_chunks(executor, Notes(), frames=10, verify=Doubt(bad=1).verify)

    assert [(task.attempt, task.avoid) for task in executor.asked] == [(1, ()), (3, ("w1",))]


async def test_a_chunk_that_came_broken_is_asked_of_the_engine_of_those_that_came_since() -> None:
    executor, notes = Engines(["old"]), Notes()

    async def verify(task: ChunkTask, result: ChunkResult, path: Path) -> None:
        del path
        if (task.index, result.attempt) == (0, 1):
            await eventually(lambda: 1 in notes.known)
            raise ChunkDamagedError("it has other frames")

    await all_chunks(executor, notes, frames=20, verify=verify)

    assert [(task.index, task.fits) for task in executor.asked] == [(0, ""), (1, ""), (0, "old")]


async def test_chunks_are_asked_of_the_engine_that_made_most_of_those_that_are_finished() -> None:
    tasks = plan("job", a_spec(40)).tasks
    known = [a_result(tasks[0], fingerprint="new"), a_result(tasks[1]), a_result(tasks[2])]
    executor = Engines(["old"])

    await all_chunks(executor, Notes(*known), frames=40)

    asked = sorted((task.index, task.attempt, task.fits) for task in executor.asked)
    assert asked == [(0, 2, "old"), (3, 1, "old")]


async def test_chunks_of_an_engine_that_is_gone_are_rendered_again_as_later_attempts() -> None:
    executor = Engines(["old", "new"], begins=2)

    await all_chunks(executor, Notes(), frames=20)

    again = executor.asked[2:]
    assert [(task.index, task.attempt, task.fits) for task in again] == [(0, 3, "new")]
