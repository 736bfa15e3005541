"""A farm on this machine: a coordinator and its workers as processes, for as long as a block."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from coordinator.planner import default_chunk_frames
from worker.cgroup import limits

from .errors import JobFailedError
from .service_process import running_services

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from coordinator.job import JobSpec

# A worker is a browser and an encoder: each wants a core, and some 350 MB.
MOST_WORKERS: Final = 4
# A worker of a local farm that is gone does not come back.
_WORKER_WAIT_S: Final = 20
_LOG_LINES: Final = 40
_ANY_PORT: Final = "127.0.0.1:0"


def worker_count(wanted: int | None, spec: JobSpec) -> int:
    """How many workers a job gets: as many as wanted (or one a core, up to four), and no idle one.

    Cores are those this process may use, by its affinity and its cgroup.
    """
    chunk_frames = spec.chunk_frames or default_chunk_frames(spec.frames)
    chunks = -(-len(spec.frames) // chunk_frames)
    most = wanted if wanted is not None else min(MOST_WORKERS, int(limits().cpus))
    return max(1, min(most, chunks))


@asynccontextmanager
async def local_farm(*, workers: int) -> AsyncGenerator[str]:
    """Run a coordinator and workers on loopback; yields the coordinator's address.

    When the block ends they have ended, and their files are gone.

    Raises:
        ServiceNotStartedError: one of them did not start; its log says why.

    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="framefarm-"))
    try:
        names = [f"worker {number}" for number in range(1, workers + 1)]
        fleet = {name: _worker_arguments(name, folder) for name in names}
        async with running_services(fleet, folder) as running:
            addresses = [await worker.address() for worker in running]
            head = {"coordinator": _coordinator_arguments(addresses, folder)}
            async with running_services(head, folder) as (coordinator,):
                try:
                    yield await coordinator.address()
                except JobFailedError as error:
                    if error.is_internal:
                        error.service_log = await asyncio.to_thread(_last_words, folder)
                    raise
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)


def _last_words(folder: Path) -> str:
    """The end of each service's log."""
    logs = sorted(folder.glob("*.log"))
    ends = (log.read_text(errors="replace").splitlines()[-_LOG_LINES:] for log in logs)
    return "\n".join(line for lines in ends for line in lines)


def _worker_arguments(name: str, folder: Path) -> list[str]:
    data_dir = folder / name.replace(" ", "-")
    where = ["--listen", _ANY_PORT, "--data-dir", str(data_dir), "--name", data_dir.name]
    return ["worker", *where, "--slots", "1"]


def _coordinator_arguments(workers: list[str], folder: Path) -> list[str]:
    where = ["--listen", _ANY_PORT, "--data-dir", str(folder / "coordinator")]
    fleet = ["--workers", ",".join(workers), "--worker-wait", f"{_WORKER_WAIT_S}s"]
    return ["coordinator", *where, *fleet]
