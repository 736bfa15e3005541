"""StorageWatch: holds the farm while there is no place for what it renders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from executors.errors import StorageError, StorageFullError
from executors.storage import free_bytes

from .holds import STORAGE_DOWN, STORAGE_FULL, Hold
from .space import MIN_FREE_BYTES, Space

if TYPE_CHECKING:
    from pathlib import Path

    from .holds import Holds

_LOOK_S: Final = 2.0
_DOWN_S: Final = 10.0


class StorageWatch(Protocol):
    """Puts and lifts the holds STORAGE_FULL and STORAGE_DOWN."""

    async def run(self) -> None:
        """Watch, for ever."""
        ...

    async def failed(self, error: StorageError) -> None:
        """Something found no place: hold the farm until it may be tried again."""
        ...


class DiskWatch:
    """Watches the room on the disk of a folder, and gives a store that is down some time."""

    def __init__(self, folder: Path, holds: Holds, *, floor_bytes: int = MIN_FREE_BYTES) -> None:
        self._folder = folder
        self._holds = holds
        self._space = Space(floor_bytes=floor_bytes)
        self._down_until_s = 0.0

    async def run(self) -> None:
        while True:
            free = await asyncio.to_thread(free_bytes, self._folder)
            self._know(self._space.seen(free), free)
            if asyncio.get_running_loop().time() >= self._down_until_s:
                self._holds.lift(STORAGE_DOWN)
            await asyncio.sleep(_LOOK_S)

    async def failed(self, error: StorageError) -> None:
        if isinstance(error, StorageFullError):
            free = await asyncio.to_thread(free_bytes, self._folder)
            self._know(self._space.ran_out(free), free)
        else:
            self._down_until_s = asyncio.get_running_loop().time() + _DOWN_S
            self._holds.put(Hold(STORAGE_DOWN, str(error)))

    def _know(self, space: Space, free: int) -> None:
        self._space = space
        if not space.is_short:
            self._holds.lift(STORAGE_FULL)
        elif not self._holds.of(STORAGE_FULL):
            wanted = space.wanted_bytes >> 20
            message = f"{self._folder} has {free >> 20} MiB free; make room there, to {wanted} MiB"
            self._holds.put(Hold(STORAGE_FULL, message))
