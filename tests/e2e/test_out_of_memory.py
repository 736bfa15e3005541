"""A page that wants more memory than its worker has, under the kernel's own limit."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from executors.base import ChunkTask
from executors.chunk_call import ChunkCall
from executors.errors import WorkerOutOfMemoryError
from executors.transfer import send_bundle
from protos.framefarm.v1 import worker_pb2_grpc
from renderer.bundle import BundleStore
from renderer.frames import FrameRange
from serving.channel import open_channel
from tests.support.memory_cgroup import memory_cgroup
from tests.support.pages import add_files, page_settings, tools_or_skip

MEMORY_BYTES = 700 << 20
JOINS = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
# 64 MiB a frame, of bytes that are there.
PAGE = """<body><script>
const held = []
const grow = () => {
  if (framefarm.props.greedy) held.push(new Uint8Array(64 << 20).fill(held.length + 1))
  document.body.textContent = held.length
  requestAnimationFrame(grow)
}
requestAnimationFrame(grow)
</script>"""


@asynccontextmanager
async def a_limited_worker(folder: Path) -> AsyncGenerator[str]:
    """The address of a worker process whose cgroup has little memory."""
    serve = [sys.executable, "-m", "framefarm", "worker", "--listen", "127.0.0.1:0"]
    options = ["--slots", "1", "--data-dir", str(folder), "--until-stdin-closes"]
    with memory_cgroup(MEMORY_BYTES) as cgroup:
        command = ["sh", "-c", JOINS, str(cgroup), *serve, *options]
        worker = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            yield (await worker.stdout.readline()).decode().strip()
        finally:
            worker.stdin.close()
            await asyncio.wait_for(worker.wait(), 10)


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
