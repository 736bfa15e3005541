"""Slots of this process: so many chunks are filmed at once, and as many more are not done yet."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class LocalSlots:
    """A slot is free as soon as its chunk is filmed, but no more than twice as many chunks are on
    their way as there are slots.
    """

    def __init__(self, slots: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._chunks = asyncio.Semaphore(2 * slots)

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[LeasedSlot]:
        """Wait for a slot, and have it for the block, or until it is freed."""
        async with self._chunks:
            await self._slots.acquire()
            slot = LeasedSlot(self._slots)
            try:
                yield slot
            finally:
                slot.free()


class LeasedSlot:
    """A slot that is given back once."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots: asyncio.Semaphore | None = slots

    def free(self) -> None:
        if self._slots is not None:
            self._slots.release()
            self._slots = None
