"""The orchestrator over a fake executor whose chunks are real video files."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from coordinator.job import (
    AudioTrack,
    ChunkMoved,
    ChunkState,
    Event,
    JobState,
    ProgressMade,
    StateChanged,
)
from coordinator.orchestrator import JobAbortedError, RenderOrchestrator
from executors.errors import ChunkDamagedError, CompositionFailedError, ExecutorError
from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from tests.support.eventually import eventually
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.sounds import decode_sound, onset, tone, write_wav
from tests.support.tasks import a_spec


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_concurrency_calls_the_executor_once_for_each_chunk(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()
    orchestrator = RenderOrchestrator(bundles, executor)

    await orchestrator.render(
        orchestrator.plan(a_spec(20), job_id="job", concurrency=3), tmp_path / "out.mp4"
    )

    assert len(executor.calls) == 3
    assert [n for task in executor.calls for n in task.frames] == list(range(20))
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(20))


@pytest.mark.parametrize("fails", [False, True])
async def test_an_executor_is_told_when_the_last_chunk_has_ended_however_it_ended(
    tmp_path: Path, bundles: BundleStore, *, fails: bool
) -> None:
    executor = FakeExecutor()
    if fails:
        executor.fails[1] = CompositionFailedError("the page threw")
        executor.waits.add(2)
    orchestrator = RenderOrchestrator(bundles, executor)
    plan = orchestrator.plan(a_spec(30), job_id="job")

    with pytest.raises(CompositionFailedError) if fails else nullcontext():
        await orchestrator.render(plan, tmp_path / "out.mp4")

    assert executor.jobs_ended == ["job"]


async def test_the_output_is_what_its_facts_say(tmp_path: Path, bundles: BundleStore) -> None:
    orchestrator = RenderOrchestrator(bundles, FakeExecutor())
    output = tmp_path / "out.mp4"

    facts = await orchestrator.render(orchestrator.plan(a_spec(30), job_id="job"), output)

    data = output.read_bytes()
    assert (facts.frames, facts.size_bytes) == (30, len(data))
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert files_in(tmp_path) == ["out.mp4", "store"]


async def test_an_executors_error_stops_the_others_and_comes_out_as_itself(
    tmp_path: Path, bundles: BundleStore
) -> None:
    boom = CompositionFailedError("Error: boom", reason="PAGE_ERROR", detail="at page.js:1:1")
    executor = FakeExecutor(fails={1: boom}, waits={0, 2})
    orchestrator = RenderOrchestrator(bundles, executor)

    with pytest.raises(CompositionFailedError) as caught:
        await orchestrator.render(orchestrator.plan(a_spec(30), job_id="job"), tmp_path / "out.mp4")

    assert caught.value is boom
    assert sorted(executor.stopped) == [0, 1, 2]
    assert files_in(tmp_path) == ["store"]


async def test_progress_never_falls_and_ends_at_all_frames(
    tmp_path: Path, bundles: BundleStore
) -> None:
    events: list[Event] = []
    orchestrator = RenderOrchestrator(bundles, FakeExecutor())

    await orchestrator.render(
        orchestrator.plan(a_spec(30), job_id="job"), tmp_path / "out.mp4", on_event=events.append
    )

    done = [event.frames_done for event in events if isinstance(event, ProgressMade)]
    assert done == sorted(done)
    assert done[-1] == 30
    assert events[-1] == StateChanged(JobState.ASSEMBLING)
    rendered = [e.index for e in events if isinstance(e, ChunkMoved) and e.state == "rendered"]
    assert sorted(rendered) == [0, 1, 2]
    assert ChunkState.RENDERING in {e.state for e in events if isinstance(e, ChunkMoved)}


async def test_an_abort_that_is_already_set_starts_nothing(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor, abort = FakeExecutor(), asyncio.Event()
    orchestrator = RenderOrchestrator(bundles, executor)
    abort.set()

    with pytest.raises(JobAbortedError):
        await orchestrator.render(
            orchestrator.plan(a_spec(), job_id="job"), tmp_path / "out.mp4", abort=abort
        )

    assert executor.calls == []
    assert files_in(tmp_path) == ["store"]


async def test_an_abort_on_the_way_stops_every_chunk_before_it_is_told(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor, abort = FakeExecutor(waits={0, 1, 2}), asyncio.Event()
    orchestrator = RenderOrchestrator(bundles, executor)
    plan = orchestrator.plan(a_spec(30), job_id="job")
    async with asyncio.TaskGroup() as group:
        rendering = group.create_task(_outcome(orchestrator, plan, tmp_path / "out.mp4", abort))
        await eventually(lambda: len(executor.calls) == 3)

        abort.set()

    assert isinstance(rendering.result(), JobAbortedError)
    assert sorted(executor.stopped) == [0, 1, 2]
    assert files_in(tmp_path) == ["store"]


async def _outcome(
    orchestrator: RenderOrchestrator, plan: object, output: Path, abort: asyncio.Event
) -> BaseException | None:
    try:
        await orchestrator.render(plan, output, abort=abort)  # type: ignore[arg-type]
    except JobAbortedError as error:
        return error
    return None


async def test_chunks_of_different_engines_are_not_joined(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(fingerprint=lambda index: "old" if index else "new")
    orchestrator = RenderOrchestrator(bundles, executor)

    with pytest.raises(ChunkDamagedError, match="do not fit together"):
        await orchestrator.render(orchestrator.plan(a_spec(30), job_id="job"), tmp_path / "out.mp4")

    assert files_in(tmp_path) == ["store"]


async def test_a_farm_that_changes_its_browsers_in_mid_job_renders_the_rest_of_it_again(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()
    executor.slow = {2: asyncio.Event()}
    orchestrator = RenderOrchestrator(bundles, executor)
    events: list[Event] = []
    plan = orchestrator.plan(a_spec(30), job_id="job")
    first_two = {0, 1}

    async def release() -> None:
        await eventually(lambda: first_two <= set(executor.ended))
        executor.slow[2].set()

    executor.fingerprint = lambda index: (
        "old" if index < 2 and executor.ended.count(index) == 1 else "new"
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(release())
        await orchestrator.render(plan, tmp_path / "out.mp4", on_event=events.append)

    assert sorted(task.index for task in executor.calls) == [0, 0, 1, 1, 2]
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(30))
    moves = [event for event in events if isinstance(event, ChunkMoved)]
    assert sorted(each.index for each in moves if each.state is ChunkState.REQUEUED) == [0, 1]


async def test_a_file_that_is_not_what_the_executor_says_is_found_out(
    tmp_path: Path, bundles: BundleStore
) -> None:
    class Careless(FakeExecutor):
        async def render(self, task, output, *, on_progress):  # type: ignore[no-untyped-def]
            result = await super().render(task, output, on_progress=on_progress)
            output.write_bytes(output.read_bytes()[:-1])
            return result

    orchestrator = RenderOrchestrator(bundles, Careless())

    with pytest.raises(ChunkDamagedError, match="is not the file"):
        await orchestrator.render(orchestrator.plan(a_spec(), job_id="job"), tmp_path / "out.mp4")


async def test_a_chunk_that_comes_broken_is_rendered_again(
    tmp_path: Path, bundles: BundleStore
) -> None:
    class CarelessAtFirst(FakeExecutor):
        async def render(self, task, output, *, on_progress):  # type: ignore[no-untyped-def]
            result = await super().render(task, output, on_progress=on_progress)
            if task.attempt == 1:
                output.write_bytes(output.read_bytes()[:-1])
            return result

    executor = CarelessAtFirst()
    orchestrator = RenderOrchestrator(bundles, executor)
    await orchestrator.render(orchestrator.plan(a_spec(), job_id="job"), tmp_path / "out.mp4")

    assert {task.attempt for task in executor.calls} == {1, 2}
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(len(a_spec().frames)))


async def test_a_chunk_with_too_few_frames_is_found_out(
    tmp_path: Path, bundles: BundleStore
) -> None:
    class Short(FakeExecutor):
        async def render(self, task, output, *, on_progress):  # type: ignore[no-untyped-def]
            short = replace(task, frames=FrameRange(task.frames.start, task.frames.stop - 1))
            return await super().render(short, output, on_progress=on_progress)

    orchestrator = RenderOrchestrator(bundles, Short())

    with pytest.raises(ExecutorError, match="frames"):
        await orchestrator.render(orchestrator.plan(a_spec(), job_id="job"), tmp_path / "out.mp4")


async def test_sound_is_mixed_once_over_the_whole_timeline(
    tmp_path: Path, bundles: BundleStore
) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    write_wav(sounds / "tone.wav", tone(0.2))
    digest = bundles.add_folder(sounds, manifest_of(sounds))
    track = AudioTrack(source=BundleEntry(digest, "tone.wav"), offset_s=Fraction(1, 2))
    orchestrator = RenderOrchestrator(bundles, FakeExecutor())
    plan = orchestrator.plan(replace(a_spec(30), audio=(track,)), job_id="job")

    await orchestrator.render(plan, tmp_path / "out.mp4")

    samples = decode_sound(tmp_path / "out.mp4")
    assert abs(onset(samples) - 24_000) <= 48  # half a second, within a millisecond
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(30))


async def test_chunks_that_an_earlier_call_finished_are_not_rendered_again(
    tmp_path: Path, bundles: BundleStore
) -> None:
    chunks = tmp_path / "chunks"
    broken = FakeExecutor(fails={2: CompositionFailedError("boom")}, waits=set())
    whole = FakeExecutor()
    orchestrator = RenderOrchestrator(bundles, broken)
    plan = orchestrator.plan(a_spec(30), job_id="job")
    with pytest.raises(CompositionFailedError):
        await orchestrator.render(plan, tmp_path / "out.mp4", chunks=chunks)
    finished = set(broken.ended)

    events: list[Event] = []
    again = RenderOrchestrator(bundles, whole)
    await again.render(plan, tmp_path / "out.mp4", on_event=events.append, chunks=chunks)

    assert {task.index for task in whole.calls} == {0, 1, 2} - finished
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(30))
    assert [e.frames_done for e in events if isinstance(e, ProgressMade)][-1] == 30


async def test_chunks_are_rendered_again_when_their_file_or_the_engine_has_changed(
    tmp_path: Path, bundles: BundleStore
) -> None:
    chunks = tmp_path / "chunks"
    first = RenderOrchestrator(bundles, FakeExecutor())
    plan = first.plan(a_spec(30), job_id="job")
    await first.render(plan, tmp_path / "out.mp4", chunks=chunks)
    (chunks / "chunk-000001.mp4").write_bytes(b"damaged")

    newer = FakeExecutor(fingerprint=lambda _: "newer")
    await RenderOrchestrator(bundles, newer).render(plan, tmp_path / "out.mp4", chunks=chunks)

    assert sorted(task.index for task in newer.calls) == [0, 1, 2]
    assert [task.fits for task in newer.calls] == ["fake", "newer", "newer"]
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(30))
