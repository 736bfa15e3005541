"""A farm on this machine for as long as a block: a coordinator that renders, or has workers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from coordinator.planner import chunks_of
from worker.cgroup import limits

from .errors import JobFailedError
from .head_start import head_start
from .service_process import ServiceProcess, running_services, stopped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from coordinator.job import JobSpec

    from .head_start import HeadStart

# A slot is a browser and an encoder: each wants a core, and some 350 MB.
MOST_SLOTS: Final = 4
# Its start costs two seconds of CPU, and its page plays what the other slots film: on two cores a
# second slot makes a video of 150 frames later, not sooner (benchmarks/results).
_LONG: Final = 900
# A worker of a local farm that is gone does not come back.
_WORKER_WAIT_S: Final = 20.0
_LOG_LINES: Final = 40
_ANY_PORT: Final = "127.0.0.1:0"


def slot_count(wanted: int | None, spec: JobSpec) -> int:
    """How many chunks are rendered at once: as many as wanted, and never more than there are.

    By default it is one a core, up to four, for a long video, and one for two cores for a short
    one. Cores are those this process may use, by its affinity and its cgroup.
    """
    chunks = len(chunks_of(spec))
    most = _default_slots(len(spec.frames)) if wanted is None else wanted
    return max(1, min(most, chunks))


def _default_slots(frames: int) -> int:
    cores = int(limits().cpus)
    return min(MOST_SLOTS, cores if frames >= _LONG else -(-cores // 2))


@asynccontextmanager
async def local_farm(
    *, workers: int = 0, slots: int = 1, preview: bool = False, ahead: HeadStart | None = None
) -> AsyncGenerator[str]:
    """Run a coordinator on loopback, and `workers` workers; yields the coordinator's address.

    Without workers the coordinator renders itself, `slots` chunks at once: one process starts, and
    not three. It may have been started `ahead`, then. With `preview` it shows films while they are
    rendered. When the block ends all have ended, and their files are gone.

    Raises:
        ServiceNotStartedError: one of them did not start; its log says why.

    """
    # Not in a thread: one that is cancelled would leave its process to nobody.
    head = ahead or head_start(renders=not workers)
    coordinator = ServiceProcess("coordinator", head.process, head.log)
    names = [f"worker {number}" for number in range(1, workers + 1)]
    fleet = {name: _worker_arguments(name, head.folder) for name in names}
    try:
        async with running_services(fleet, head.folder) as running:
            addresses = [await worker.address() for worker in running]
            settings = {
                "listen": _ANY_PORT,
                "data_dir": str(head.folder / "coordinator"),
                "workers": addresses,
                "worker_wait_s": _WORKER_WAIT_S,
                "slots": slots,
                "preview": _ANY_PORT if preview else "",
            }
            async with stopped([coordinator]):
                coordinator.tell(json.dumps(settings).encode())
                try:
                    yield await coordinator.address()
                except JobFailedError as error:
                    if error.is_internal:
                        error.service_log = await asyncio.to_thread(_last_words, head.folder)
                    raise
    finally:
        await asyncio.to_thread(head.drop)


def _last_words(folder: Path) -> str:
    """The end of each service's log."""
    logs = sorted(folder.glob("*.log"))
    ends = (log.read_text(errors="replace").splitlines()[-_LOG_LINES:] for log in logs)
    return "\n".join(line for lines in ends for line in lines)


def _worker_arguments(name: str, folder: Path) -> list[str]:
    data_dir = folder / name.replace(" ", "-")
    where = ["--listen", _ANY_PORT, "--data-dir", str(data_dir), "--name", data_dir.name]
    return ["framefarm", "worker", *where, "--slots", "1", "--until-stdin-closes"]
