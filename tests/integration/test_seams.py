"""Chunks are held against each other where they meet, over executors that draw what a test says."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from coordinator.chunk_files import ChunkFiles
from coordinator.job import (
    ChunkMoved,
    ChunkState,
    Event,
    JobState,
    ProgressMade,
    StateChanged,
    StoredPicture,
)
from coordinator.orchestrator import JobAbortedError, RenderOrchestrator
from coordinator.plan_run import PlanRun
from coordinator.planner import Plan
from coordinator.seams import SeamMismatchError
from coordinator.verification import Verification
from executors.base import ChunkTask
from framefarm.client import FarmClient
from framefarm.errors import CallFailedError
from protos.framefarm.v1 import coordinator_pb2 as pb
from renderer.bundle import BundleStore
from renderer.edges import Edges
from renderer.frames import FrameRange
from renderer.picture import Picture
from tests.support.chunks import FFPROBE
from tests.support.eventually import eventually
from tests.support.fake_executor import FakeExecutor
from tests.support.farm import all_serve, grpc_executor, running_coordinator, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
from tests.support.pictures import HEIGHT_PX, WIDTH_PX, numbered_picture
from tests.support.tasks import a_spec, a_task


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


def wrong_once(task: ChunkTask, number: int) -> int:
    return number + 500 if (task.index, task.attempt) == (1, 1) else number


def wrong_always(task: ChunkTask, number: int) -> int:
    return number + 500 if task.index == 1 else number


def wrong_at_one_seam(task: ChunkTask, number: int) -> int:
    return number + 500 if task.index == 0 else number


def wrong_in_turns(task: ChunkTask, number: int) -> int:
    is_wrong = (task.index, task.attempt, number) == (2, 2, 30)
    return number + 500 if is_wrong else wrong_once(task, number)


async def render_odd_one_last(
    executor: FakeExecutor, bundles: BundleStore, tmp_path: Path
) -> list[Event]:
    """Render, and let chunk 1 end when its neighbours are there."""
    executor.slow[1] = asyncio.Event()
    events: list[Event] = []

    def are_there() -> set[int]:
        moved = [event for event in events if isinstance(event, ChunkMoved)]
        return {event.index for event in moved if event.state is ChunkState.RENDERED}

    rendering = asyncio.create_task(render(executor, bundles, tmp_path, events))
    await eventually(lambda: are_there() == {0, 2, 3})
    executor.slow[1].set()
    return await rendering


async def render(
    executor: FakeExecutor, bundles: BundleStore, tmp_path: Path, events: list[Event] | None = None
) -> list[Event]:
    events = [] if events is None else events
    orchestrator = RenderOrchestrator(bundles, executor)
    plan = orchestrator.plan(a_spec(40), job_id="job")
    await orchestrator.render(plan, tmp_path / "out.mp4", on_event=events.append)
    return events


async def test_every_chunk_but_the_last_captures_its_successors_first_frame(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()

    await render(executor, bundles, tmp_path)

    assert sorted((task.index, task.has_successor) for task in executor.calls) == [
        (0, True),
        (1, True),
        (2, True),
        (3, False),
    ]


async def test_the_chunks_of_a_torn_seam_are_rendered_again_and_no_others(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_once)

    events = await render_odd_one_last(executor, bundles, tmp_path)

    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(40))
    again = [(task.index, task.attempt) for task in executor.calls[4:]]
    assert sorted(again) == [(0, 2), (1, 2), (2, 2)]
    assert [task.paints_all for task in executor.calls] == [False] * 4 + [True] * 3
    lost = [e for e in events if isinstance(e, ChunkMoved) and e.state is ChunkState.REQUEUED]
    assert [(e.index, e.attempt, e.worker) for e in lost] == [(i, 1, "here") for i in (0, 1, 2)]
    assert "frame 10 of chunk 1 on here is another picture" in lost[0].reason
    rendered = [e for e in events if isinstance(e, ChunkMoved) and e.state is ChunkState.RENDERED]
    assert sorted((e.index, e.attempt) for e in rendered[4:]) == [(0, 2), (1, 2), (2, 2)]
    done = [e.frames_done for e in events if isinstance(e, ProgressMade)]
    assert done == sorted(done)
    assert events[-1] == StateChanged(JobState.ASSEMBLING)


async def test_a_seam_is_compared_as_soon_as_both_its_chunks_are_there(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_once, slow={3: asyncio.Event()})
    rendering = asyncio.create_task(render(executor, bundles, tmp_path))

    await eventually(lambda: any(task.attempt == 2 for task in executor.calls))
    assert 3 not in executor.ended
    executor.slow[3].set()
    await rendering

    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(40))


async def test_a_job_fails_at_a_torn_seam_without_waiting_for_its_other_chunks(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_at_one_seam, waits={3})

    with pytest.raises(SeamMismatchError):
        await render(executor, bundles, tmp_path)

    assert executor.stopped == [3]


async def test_a_seam_that_is_torn_twice_fails_the_job_and_leaves_its_pictures(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_always)
    orchestrator = RenderOrchestrator(bundles, executor)
    plan = orchestrator.plan(a_spec(20), job_id="job")
    folder = tmp_path / "pictures"

    with pytest.raises(SeamMismatchError, match="frame 10 of chunk 1 on here") as caught:
        await orchestrator.render(plan, tmp_path / "out.mp4", pictures=folder)

    assert caught.value.chunk_index == 1
    assert [(task.index, task.attempt) for task in executor.calls[2:]] == [(0, 2), (1, 2)]
    names = [f"frame-10-{what}.png" for what in ("after-chunk-0", "in-chunk-1", "difference")]
    assert [picture.name for picture in caught.value.pictures] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    after, within, difference = (folder / name for name in names)
    assert after.read_bytes() == numbered_picture(10).png()
    assert within.read_bytes() == numbered_picture(510).png()
    with Image.open(difference) as image:
        assert image.size == (3 * WIDTH_PX, HEIGHT_PX)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pictures", "store"]


async def test_an_executor_that_keeps_no_pictures_leaves_none(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_always, keeps_edges=False)
    orchestrator = RenderOrchestrator(bundles, executor)
    plan = orchestrator.plan(a_spec(20), job_id="job")

    with pytest.raises(SeamMismatchError) as caught:
        await orchestrator.render(plan, tmp_path / "out.mp4", pictures=tmp_path / "pictures")

    assert caught.value.pictures == ()
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


async def test_a_seam_that_a_second_try_tears_has_a_try_of_its_own(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_in_turns)

    await render_odd_one_last(executor, bundles, tmp_path)

    again = [(task.index, task.attempt) for task in executor.calls[4:]]
    assert sorted(again) == [(0, 2), (1, 2), (2, 2), (2, 3), (3, 2)]
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(40))


async def test_chunks_that_fit_at_last_keep_no_pictures(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_once)
    plan = RenderOrchestrator(bundles, executor).plan(a_spec(40), job_id="job")
    run = PlanRun(
        plan, executor, ChunkFiles(tmp_path), on_event=lambda _: None, verify=Verification(FFPROBE)
    )

    results = await run.all_chunks()

    assert any(task.paints_all for task in executor.calls)
    assert [result.edges for result in results] == [Edges()] * 4


async def test_an_executor_that_tells_no_digests_is_believed(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(drawn_by=wrong_always, is_blind=True)

    await render(executor, bundles, tmp_path)

    assert len(executor.calls) == 4


async def test_finished_chunks_of_an_earlier_process_are_held_against_new_ones(
    tmp_path: Path, bundles: BundleStore
) -> None:
    chunks = tmp_path / "chunks"
    first = RenderOrchestrator(bundles, FakeExecutor())
    plan = first.plan(a_spec(30), job_id="job")
    await first.render(plan, tmp_path / "out.mp4", chunks=chunks)
    (chunks / "chunk-000001.json").unlink()

    executor = FakeExecutor(drawn_by=wrong_once)
    await RenderOrchestrator(bundles, executor).render(plan, tmp_path / "out.mp4", chunks=chunks)

    assert executor.calls[0].index == 1
    assert sorted((task.index, task.attempt) for task in executor.calls[1:]) == [
        (0, 2),
        (1, 2),
        (2, 2),
    ]
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(30))


async def leave_while_a_seam_is_mended(bundles: BundleStore, tmp_path: Path) -> Plan:
    """Begin a job in `chunks`; go when both chunks of a torn seam are being rendered again."""
    executor, abort = FakeExecutor(drawn_by=wrong_always), asyncio.Event()
    first = RenderOrchestrator(bundles, executor)
    plan = first.plan(a_spec(20), job_id="job")

    def hear(event: Event) -> None:
        if isinstance(event, ChunkMoved) and event.state is ChunkState.REQUEUED:
            executor.waits.add(event.index)

    rendering = asyncio.create_task(
        first.render(
            plan, tmp_path / "out.mp4", on_event=hear, abort=abort, chunks=tmp_path / "chunks"
        )
    )
    await eventually(lambda: len(executor.calls) == 4)
    abort.set()
    with pytest.raises(JobAbortedError):
        await rendering
    return plan


def wrong_unless_all_is_painted(task: ChunkTask, number: int) -> int:
    return number if task.paints_all else wrong_always(task, number)


async def test_the_coordinator_that_goes_on_mends_a_seam_as_it_was_to_be_mended(
    tmp_path: Path, bundles: BundleStore
) -> None:
    plan = await leave_while_a_seam_is_mended(bundles, tmp_path)

    executor = FakeExecutor(drawn_by=wrong_unless_all_is_painted)
    await RenderOrchestrator(bundles, executor).render(
        plan, tmp_path / "out.mp4", chunks=tmp_path / "chunks"
    )

    assert sorted((task.index, task.paints_all) for task in executor.calls) == [
        (0, True),
        (1, True),
    ]
    assert decode_frame_numbers(tmp_path / "out.mp4") == list(range(20))


async def test_a_seam_is_mended_once_however_many_coordinators_a_job_has(
    tmp_path: Path, bundles: BundleStore
) -> None:
    plan = await leave_while_a_seam_is_mended(bundles, tmp_path)

    executor = FakeExecutor(drawn_by=wrong_always)
    with pytest.raises(SeamMismatchError, match="frame 10 of chunk 1"):
        await RenderOrchestrator(bundles, executor).render(
            plan, tmp_path / "out.mp4", chunks=tmp_path / "chunks"
        )

    assert sorted(task.index for task in executor.calls) == [0, 1]


async def test_digests_come_over_the_wire_whole_and_in_order(tmp_path: Path) -> None:
    renderer = PictureRenderer()
    task = replace(a_task(3, 9), has_successor=True, attempt=2, paints_all=True)
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(running_worker(renderer))
        executor, _ = await stack.enter_async_context(
            grpc_executor([worker.address], BundleStore(tmp_path / "store"))
        )
        result = await executor.render(task, tmp_path / "1.mp4", on_progress=lambda _: None)
        after = replace(task, frames=FrameRange(9, 10), has_successor=False)
        last = await executor.render(after, tmp_path / "2.mp4", on_progress=lambda _: None)

    assert result.edges == Edges(
        first=numbered_picture(3).png(), following=numbered_picture(9).png()
    )
    assert last.edges.following == b""
    assert len(set(result.frame_digests)) == 6
    assert all(len(bytes.fromhex(digest)) == 16 for digest in result.frame_digests)
    assert result.attempt == 2
    assert last.frame_digests == (result.next_frame_digest,)
    assert last.next_frame_digest == ""


async def test_a_farm_whose_one_worker_draws_something_else_once_still_succeeds(
    tmp_path: Path,
) -> None:
    odd = PictureRenderer(spoils=1)
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(running_worker(renderer, name=name))
            for name, renderer in (("odd", odd), ("even", PictureRenderer()))
        ]
        farm = await stack.enter_async_context(
            running_coordinator([worker.address for worker in workers], tmp_path)
        )
        await all_serve(farm.fleet)
        job = await farm.jobs.create(a_spec(40, frame_s=0.001))
        async with asyncio.timeout(60):
            while not (await farm.store.get(job.id)).state.is_final:
                await asyncio.sleep(0.02)
        events = [row.event for row in await farm.store.events(job.id, after=0, most=1000)]

        assert events[-1] == StateChanged(JobState.SUCCEEDED)
        assert decode_frame_numbers(farm.files.output(job)) == list(range(40))
    lost = {e.reason for e in events if isinstance(e, ChunkMoved) and e.reason}
    assert lost
    assert all("is another picture" in reason for reason in lost)


class OddInOneChunk(PictureRenderer):
    """Draws other numbers in the chunk that begins with frame 10."""

    def _pictures(self, numbers: range) -> list[Picture]:
        shift = 1000 if numbers.start == 10 else 0
        return [numbered_picture(number + shift) for number in numbers]


async def test_who_asks_a_farm_gets_both_pictures_of_a_seam(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(running_worker(OddInOneChunk()))
        farm = await stack.enter_async_context(running_coordinator([worker.address], tmp_path))
        client = await stack.enter_async_context(FarmClient(farm.address))
        job = await client.wait((await client.create(a_spec(20))).id)

        brought = await client.download_pictures(job.id, tmp_path / "pictures")
        with pytest.raises(CallFailedError, match="names no picture '../jobs.sqlite'"):
            wanted = StoredPicture(name="../jobs.sqlite", size_bytes=9, sha256="")
            await client._fetch(_picture(job.id, wanted.name), tmp_path / "stolen", wanted)

    assert job.error is not None
    assert (job.error.reason, job.error.chunk_index) == ("SEAM_MISMATCH", 1)
    after, within, difference = brought
    assert after.read_bytes() == numbered_picture(10).png()
    assert within.read_bytes() == numbered_picture(1010).png()
    assert difference.name == "frame-10-difference.png"


def _picture(job_id: str, name: str) -> pb.DownloadOutputRequest:
    return pb.DownloadOutputRequest(job_id=job_id, part=pb.OUTPUT_PART_PICTURE, name=name)
