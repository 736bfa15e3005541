"""A page that wants more memory than its worker has, under the kernel's own limit."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from coordinator.job import ChunkMoved, ChunkState, Job, JobSpec, JobState
from executors.base import ChunkTask
from executors.chunk_call import ChunkCall
from executors.errors import WorkerOutOfMemoryError
from executors.transfer import send_bundle
from framefarm.client import FarmClient
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.bundle import BundleStore
from renderer.composition import BundleEntry
from renderer.frames import FrameRange
from serving.channel import open_channel
from tests.support.farm import running_coordinator
from tests.support.memory_cgroup import memory_cgroup
from tests.support.pages import add_files, page_settings, tools_or_skip

MEMORY_BYTES = 700 << 20
JOINS = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
# 64 MiB a frame, of bytes that are there, and 768 in all.
PAGE = """<body><script>
const held = []
const grow = () => {
  const full = held.length === 12 || !framefarm.props.greedy
  if (!full) held.push(new Uint8Array(64 << 20).fill(held.length + 1))
  document.body.textContent = held.length
  requestAnimationFrame(grow)
}
requestAnimationFrame(grow)
</script>"""


@asynccontextmanager
async def a_limited_worker(folder: Path) -> AsyncGenerator[str]:
    """The address of a worker process whose cgroup has little memory."""
    with memory_cgroup(MEMORY_BYTES) as cgroup:
        async with a_worker(folder, "sh", "-c", JOINS, str(cgroup)) as address:
            yield address


@asynccontextmanager
async def a_worker(folder: Path, *prefix: str) -> AsyncGenerator[str]:
    serve = [sys.executable, "-m", "framefarm", "worker", "--listen", "127.0.0.1:0"]
    options = ["--slots", "1", "--data-dir", str(folder), "--until-stdin-closes"]
    worker = await asyncio.create_subprocess_exec(
        *prefix, *serve, *options, stdin=PIPE, stdout=PIPE
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        yield (await worker.stdout.readline()).decode().strip()
    finally:
        worker.stdin.close()
        await asyncio.wait_for(worker.wait(), 60)


async def test_a_page_that_is_too_heavy_is_told_as_such_and_the_next_one_is_rendered(
    tmp_path: Path,
) -> None:
    tools_or_skip()
    store = BundleStore(tmp_path / "store")
    page = add_files(store, {"index.html": PAGE})

    def a_call(index: int, props: str) -> ChunkCall:
        task = ChunkTask(
            job_id="job",
            index=index,
            composition=page,
            frames=FrameRange(0, 20),
            settings=page_settings(props_json=props),
        )
        return ChunkCall(task, tmp_path / "out.mp4", worker="w", on_progress=lambda _: None)

    async with a_limited_worker(tmp_path / "worker") as address, open_channel(address) as channel:
        stub = worker_pb2_grpc.RenderWorkerStub(channel)
        await send_bundle(stub, store.manifest(page.digest), store.blob)
        with pytest.raises(WorkerOutOfMemoryError) as caught:
            await a_call(0, '{"greedy": true}').run(stub)
        result = await a_call(1, "{}").run(stub)

    assert caught.value.reason == "OUT_OF_MEMORY"
    assert result.frames == 20
    assert (tmp_path / "out.mp4").stat().st_size == result.size_bytes


async def test_a_heavy_job_is_done_by_a_larger_worker_or_fails_and_says_why(
    tmp_path: Path,
) -> None:
    tools_or_skip()
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(a_limited_worker(tmp_path / "small"))
        failed, tries = await a_heavy_job([small], 1, tmp_path / "one")
        large = await stack.enter_async_context(a_worker(tmp_path / "large"))
        done, moves = await a_heavy_job([small, large], 2, tmp_path / "two")

    assert failed.error is not None
    assert failed.error.reason == "OUT_OF_MEMORY"
    assert "want of memory" in failed.error.message
    assert "fewer slots" in failed.error.message
    assert max(move.attempt for move in tries) == 3
    assert done.state is JobState.SUCCEEDED
    requeued = [move for move in moves if move.state is ChunkState.REQUEUED]
    assert "want of memory" in requeued[0].reason
    assert {move.worker for move in moves if move.state is ChunkState.RENDERED} == {large}


async def a_heavy_job(
    workers: Sequence[str], chunks: int, folder: Path
) -> tuple[Job, list[ChunkMoved]]:
    """What becomes of it, and of its chunks; each is too much for a small worker."""
    page = folder / "page"
    page.mkdir(parents=True)
    (page / "index.html").write_text(PAGE)
    async with (
        running_coordinator(workers, folder / "data") as farm,
        FarmClient(farm.address) as client,
    ):
        spec = JobSpec(
            composition=BundleEntry(await client.upload(page)),
            settings=page_settings(props_json='{"greedy": true}'),
            frames=FrameRange(0, 12 * chunks),
            chunk_frames=12,
        )
        job = await client.create(spec)
        async with client.watch(job.id) as events:
            told = [event.event async for event in events]
        return await client.get(job.id), [each for each in told if isinstance(each, ChunkMoved)]
