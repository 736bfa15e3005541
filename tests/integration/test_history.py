"""A job whose history is open: probed, and played after all where its chunks do not fit."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from coordinator.history import is_worth_probing
from coordinator.job import Event, HistoryFound, JobSpec
from coordinator.orchestrator import RenderOrchestrator
from coordinator.planner import plan
from executors.base import ChunkResult, ChunkTask, OnProgress
from executors.errors import CompositionFailedError
from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource
from renderer.bundle import BundleStore
from renderer.history import Between, Difference, ProbeResult
from renderer.settings import History
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.tasks import a_spec

SEEKABLE = ProbeResult(frames=(0, 89), jumps=(89,))
STATEFUL = replace(SEEKABLE, differences=(Difference(frame=89, between=Between.WAYS),))


@dataclass
class ProbingExecutor:
    """A fake that can probe. Where it jumps, a page that `remembers` shows another picture.

    One that `hums` plays a sound from 0.1 s on, and from 2.1 s where it has jumped.
    """

    found: ProbeResult | Exception
    remembers: bool = False
    hums: bool = False
    rendering: FakeExecutor = field(default_factory=FakeExecutor)
    probed: list[ChunkTask] = field(default_factory=list)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        self.probed.append(task)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        result = await self.rendering.render(task, output, on_progress=on_progress)
        if self.hums:
            has_jumped = task.settings.history is History.SEEKABLE and task.index > 0
            result = replace(result, sounds=_hum(21 if has_jumped else 1))
        is_wrong = self.remembers and task.settings.history is History.SEEKABLE and task.index
        if not is_wrong:
            return result
        other = hashlib.sha256(b"another picture").hexdigest()
        return replace(result, frame_digests=(other, *result.frame_digests[1:]))


def _hum(tenths: int) -> SoundReport:
    source = SoundSource(
        sha256="a" * 64, name="http://h/hum.wav", size_bytes=1, duration_ns=NANO, is_bundled=True
    )
    begins_ns = tenths * NANO // 10
    passage = Passage(source="a" * 64, since_ns=begins_ns, from_ns=0, begins_ns=begins_ns)
    return SoundReport(sources=(source,), passages=(passage,))


@pytest.fixture
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a short video is worth a probe."""
    monkeypatch.setattr("coordinator.history._WORTH_FRAMES", 1)


def a_long_spec(history: History = History.AUTO) -> JobSpec:
    spec = a_spec(90, chunk_frames=30)
    return replace(spec, settings=replace(spec.settings, history=history))


async def rendered(tmp_path: Path, executor: ProbingExecutor, spec: JobSpec) -> list[HistoryFound]:
    orchestrator = RenderOrchestrator(BundleStore(tmp_path / "store"), executor)
    events: list[Event] = []
    job = orchestrator.plan(spec, job_id="job")
    await orchestrator.render(job, tmp_path / "out.mp4", on_event=events.append)
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(90))
    return [event for event in events if isinstance(event, HistoryFound)]


def histories(executor: ProbingExecutor) -> set[History]:
    return {task.settings.history for task in executor.rendering.calls}


@pytest.mark.parametrize(
    ("found", "reason"),
    [(SEEKABLE, ""), (STATEFUL, "frame 89 depends on the frames before it")],
)
@pytest.mark.usefixtures("short_is_long")
async def test_what_a_probe_finds_is_frozen_into_every_chunk(
    tmp_path: Path, found: ProbeResult, reason: str
) -> None:
    executor = ProbingExecutor(found)

    told = await rendered(tmp_path, executor, a_long_spec())

    assert told == [HistoryFound(found.history, reason)]
    assert histories(executor) == {found.history}
    assert [len(task.frames) for task in executor.probed] == [90]
    assert executor.probed[0].index not in {task.index for task in executor.rendering.calls}


@pytest.mark.usefixtures("short_is_long")
async def test_what_was_found_is_not_asked_again_by_the_coordinator_that_goes_on(
    tmp_path: Path,
) -> None:
    executor, chunks = ProbingExecutor(SEEKABLE), tmp_path / "chunks"
    orchestrator = RenderOrchestrator(BundleStore(tmp_path / "store"), executor)
    plan = orchestrator.plan(a_long_spec(), job_id="job")
    for name in ("first.mp4", "second.mp4"):
        await orchestrator.render(plan, tmp_path / name, chunks=chunks)

    assert len(executor.probed) == 1
    assert len(executor.rendering.calls) == len(plan.tasks)  # and its chunks are found again
    assert histories(executor) == {History.SEEKABLE}


@pytest.mark.usefixtures("short_is_long")
async def test_a_page_is_played_when_no_coordinator_lives_to_the_end_of_its_probe(
    tmp_path: Path,
) -> None:
    executor, chunks = ProbingExecutor(BrokenPipeError()), tmp_path / "chunks"
    orchestrator = RenderOrchestrator(BundleStore(tmp_path / "store"), executor)
    plan = orchestrator.plan(a_long_spec(), job_id="job")
    for _ in range(3):
        with pytest.raises(BrokenPipeError):
            await orchestrator.render(plan, tmp_path / "out.mp4", chunks=chunks)

    events: list[Event] = []
    await orchestrator.render(plan, tmp_path / "out.mp4", chunks=chunks, on_event=events.append)

    told = [event for event in events if isinstance(event, HistoryFound)]
    assert told == [HistoryFound(History.STATEFUL, "3 probes were begun, and none ended")]
    assert len(executor.probed) == 3
    assert histories(executor) == {History.STATEFUL}


@pytest.mark.usefixtures("short_is_long")
async def test_that_a_probe_was_wrong_is_known_to_the_coordinator_that_goes_on(
    tmp_path: Path,
) -> None:
    executor, chunks = ProbingExecutor(SEEKABLE, remembers=True), tmp_path / "chunks"
    orchestrator = RenderOrchestrator(BundleStore(tmp_path / "store"), executor)
    plan = orchestrator.plan(a_long_spec(), job_id="job")
    await orchestrator.render(plan, tmp_path / "first.mp4", chunks=chunks)
    executor.rendering.calls.clear()
    (chunks / "chunk-000001.json").unlink()

    await orchestrator.render(plan, tmp_path / "second.mp4", chunks=chunks)

    assert len(executor.probed) == 1
    assert [task.index for task in executor.rendering.calls] == [1]
    assert histories(executor) == {History.STATEFUL}


@pytest.mark.parametrize("history", [History.STATEFUL, History.SEEKABLE])
@pytest.mark.usefixtures("short_is_long")
async def test_what_the_user_says_is_not_asked(tmp_path: Path, history: History) -> None:
    executor = ProbingExecutor(STATEFUL)

    told = await rendered(tmp_path, executor, a_long_spec(history))

    assert (told, executor.probed, histories(executor)) == ([], [], {history})


@pytest.mark.usefixtures("short_is_long")
async def test_chunks_that_do_not_fit_after_a_jump_are_played(tmp_path: Path) -> None:
    executor = ProbingExecutor(SEEKABLE, remembers=True)

    told = await rendered(tmp_path, executor, a_long_spec())

    assert [event.history for event in told] == [History.SEEKABLE, History.STATEFUL]
    # Neighbours are compared as soon as both are there: any seam may be the first that is torn.
    assert re.match(r"frame (30|60) of chunk [12] ", told[1].reason)
    assert executor.rendering.calls[-1].settings.history is History.STATEFUL


@pytest.mark.usefixtures("short_is_long")
async def test_chunks_that_do_not_agree_on_a_sound_after_a_jump_are_played(tmp_path: Path) -> None:
    executor = ProbingExecutor(SEEKABLE, hums=True)

    told = await rendered(tmp_path, executor, a_long_spec())

    assert [event.history for event in told] == [History.SEEKABLE, History.STATEFUL]
    assert "sound http://h/hum.wav: at frame 30 it ends" in told[1].reason
    assert executor.rendering.calls[-1].settings.history is History.STATEFUL


@pytest.mark.usefixtures("short_is_long")
async def test_a_page_at_fault_fails_before_any_chunk(tmp_path: Path) -> None:
    executor = ProbingExecutor(CompositionFailedError("Error: boom", reason="PAGE_ERROR"))

    with pytest.raises(CompositionFailedError, match="boom"):
        await rendered(tmp_path, executor, a_long_spec())

    assert executor.rendering.calls == []


def test_a_probe_has_to_save_more_than_it_costs() -> None:
    assert is_worth_probing(plan("job", a_spec(600)))
    assert not is_worth_probing(plan("job", a_spec(200)))
    assert not is_worth_probing(plan("job", a_spec(600), concurrency=1))
