"""StorageWatch: holds the farm while there is no place for what it renders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from executors.errors import StorageDownError, StorageError, StorageFullError
from executors.storage import free_bytes

from .holds import STORAGE_DOWN, STORAGE_FULL, Hold
from .space import MIN_FREE_BYTES, Space

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from .holds import Holds

    Measure = Callable[[Path], Awaitable[int]]

_LOOK_S: Final = 2.0
_REST_S: Final = 10.0
_RETRY_S: Final = 60.0


class StorageWatch(Protocol):
    """Puts and lifts the holds STORAGE_FULL and STORAGE_DOWN."""

    async def run(self) -> None:
        """Watch, for ever."""
        ...

    async def look(self) -> None:
        """Put and lift what is to be now."""
        ...

    async def failed(self, error: StorageError) -> None:
        """Something found no place: hold the farm until it may be tried again."""
        ...


class StorageRest:
    """Gives whatever found no place some time, and knows nothing more."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._until_s: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def failed(self, error: StorageError) -> None:
        reason = STORAGE_FULL if isinstance(error, StorageFullError) else STORAGE_DOWN
        self._until_s[reason] = asyncio.get_running_loop().time() + _REST_S
        self._holds.put(Hold(reason, str(error)))

    async def look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for reason in [each for each, until_s in self._until_s.items() if until_s <= now_s]:
            del self._until_s[reason]
            self._holds.lift(reason)


async def measured(folder: Path) -> int:
    """How many bytes may still be written below a folder."""
    return await asyncio.to_thread(free_bytes, folder)


class DiskWatch:
    """Watches the room on the disk of a folder; a store elsewhere that is down gets some time."""

    def __init__(
        self,
        folder: Path,
        holds: Holds,
        *,
        floor_bytes: int = MIN_FREE_BYTES,
        measure: Measure = measured,
    ) -> None:
        self._folder = folder
        self._holds = holds
        self._measure = measure
        self._space = Space(floor_bytes=floor_bytes)
        self._rest = StorageRest(holds)
        self._ran_out_s: float | None = None

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        try:
            free = await self._measure(self._folder)
        except OSError as error:  # a network file system that does not answer now
            await self._rest.failed(self._down(error))
            return
        self._forget_what_is_long_ago()
        self._know(self._space.seen(free), free)
        await self._rest.look()

    async def failed(self, error: StorageError) -> None:
        if not isinstance(error, StorageFullError):
            await self._rest.failed(error)
            return
        try:
            free = await self._measure(self._folder)
        except OSError as unseen:
            await self._rest.failed(self._down(unseen))
            return
        self._ran_out_s = asyncio.get_running_loop().time()
        self._know(self._space.ran_out(free), free)

    def _down(self, error: OSError) -> StorageDownError:
        return StorageDownError(f"{self._folder} cannot be looked at: {error}; see to its disk")

    def _forget_what_is_long_ago(self) -> None:
        """What found no room may have some now, though nobody saw it being made."""
        now_s = asyncio.get_running_loop().time()
        if self._ran_out_s is not None and now_s - self._ran_out_s >= _RETRY_S:
            self._ran_out_s = None
            self._space = Space(floor_bytes=self._space.floor_bytes)

    def _know(self, space: Space, free: int) -> None:
        self._space = space
        if not space.is_short:
            self._holds.lift(STORAGE_FULL)
        elif not self._holds.of(STORAGE_FULL):
            told = f"{free >> 20} MiB are free, and {space.wanted_bytes >> 20} MiB are wanted"
            message = f"{self._folder} is full ({told}): make room there"
            self._holds.put(Hold(STORAGE_FULL, message))
