"""A worker without a browser in a process of its own, which can be frozen and killed.

As a program it serves, says its address, and gets stuck for good as soon as it reads a line: its
event loop stands still, but its sockets still answer.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .farm import running_worker
from .picture_renderer import PictureRenderer


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    address: str
    process: asyncio.subprocess.Process

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()

    def get_stuck(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"stuck\n")


@asynccontextmanager
async def worker_process() -> AsyncGenerator[WorkerProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        yield WorkerProcess(address, process)
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.wait()


async def _serve() -> None:
    async with running_worker(PictureRenderer()) as worker:
        sys.stdout.write(f"{worker.address}\n")
        sys.stdout.flush()
        if await asyncio.to_thread(sys.stdin.readline):
            time.sleep(3600)  # noqa: ASYNC251  # it is stuck


if __name__ == "__main__":
    asyncio.run(_serve())
