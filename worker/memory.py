"""A browser or an encoder that was killed for memory, told as what it is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from executors.errors import ChunkStalledError, RenderCrashedError, WorkerOutOfMemoryError
from executors.status import OUT_OF_MEMORY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


@asynccontextmanager
async def told_of_memory(oom_kills: Callable[[], int]) -> AsyncGenerator[None]:
    """Render in this block; `oom_kills` counts what the kernel has killed so far, and may block.

    Raises:
        WorkerOutOfMemoryError: in place of a crash, or a hang, in a time in which it killed.

    """
    before = await asyncio.to_thread(oom_kills)
    try:
        yield
    except (RenderCrashedError, ChunkStalledError) as error:
        if await asyncio.to_thread(oom_kills) == before:
            raise
        raise WorkerOutOfMemoryError(
            f"the kernel killed a process for want of memory: {error}; "
            "give the worker more of it, or fewer slots",
            reason=OUT_OF_MEMORY,
        ) from error
