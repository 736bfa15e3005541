"""How a coordinator's term begins: at once, or, on a full disk, when there is room again.

Until then it serves what can be read, and says why nothing begins: its term could not be kept, and
without one it may not give orders.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from executors.storage import free_bytes
from executors.tasks import first_of
from serving.server import open_server

from .holds import STORAGE_FULL, FarmHeldError, Hold, Holds
from .queue import JobQueue
from .status import status_of
from .stores.base import StoreFullError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.server import Service

    from .stores.base import JobStore

log = logging.getLogger(__name__)

# What taking up a thousand jobs writes, with room to spare.
ROOM_BYTES: Final = 16 << 20
_LOOK_S: Final = 2.0


class HeldJobs:
    """Takes the place of `Jobs` where nothing can be kept: each wish is refused, for now."""

    def __init__(self) -> None:
        self.holds = Holds()
        self.queue = JobQueue(most_running=0)

    async def create(self, spec: object, *, request_id: str = "") -> NoReturn:
        del spec, request_id
        self._refuse()

    async def cancel(self, job_id: str) -> NoReturn:
        del job_id
        self._refuse()

    async def pause(self, job_id: str) -> NoReturn:
        del job_id
        self._refuse()

    async def resume(self, job_id: str) -> NoReturn:
        del job_id
        self._refuse()

    async def delete(self, job_id: str) -> NoReturn:
        del job_id
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise FarmHeldError(self.holds.all[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is served meanwhile: `service`, over `jobs`, at `listen`."""

    listen: str
    jobs: HeldJobs
    service: Service
    announce: Callable[[str], None]


class Beginning:
    """The beginning of a term in a database whose disk is that of `folder`."""

    def __init__(self, store: JobStore, folder: Path, *, room_bytes: int) -> None:
        self._store = store
        self._folder = folder
        self._room_bytes = room_bytes
        self.term = 0

    async def is_done(self, holds: Holds) -> bool:
        """Try; where there is no room, say so in `holds`."""
        free = await asyncio.to_thread(free_bytes, self._folder)
        if free < self._room_bytes:
            told = f"{free >> 20} MiB are free, and {self._room_bytes >> 20} MiB are wanted"
            holds.put(Hold(STORAGE_FULL, f"{self._folder} is full ({told}): make room there"))
            return False
        try:
            self.term = await self._store.begin_term()
        except StoreFullError as error:
            holds.put(Hold(STORAGE_FULL, str(error)))
            return False
        return True

    async def wait(self, waiting: Waiting, stopping: asyncio.Event) -> str:
        """Serve until it is done, or the process is to stop; return the address of the service."""
        async with open_server(waiting.listen, [waiting.service], status_of=status_of) as server:
            waiting.announce(server.address)
            log.warning("waits for room on its disk", extra={"folder": str(self._folder)})
            await first_of(stopping.wait(), self._until_done(waiting.jobs.holds))
            return server.address

    async def _until_done(self, holds: Holds) -> None:
        while True:
            if await self.is_done(holds):
                return
            await asyncio.sleep(_LOOK_S)
