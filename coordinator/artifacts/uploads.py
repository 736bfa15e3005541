"""ShelfUploads: ChunkUploads to the artifact store, by URLs that it has signed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from executors.errors import ChunkDamagedError
from renderer.encode.recipe import chunk_recipe

from .base import ArtifactNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from executors.base import ChunkTask

    from .shelf import Shelf

# A chunk may take hours; whoever holds its URL can do no more than bring that attempt's file.
_VALID_S: Final = 24 * 3600.0
# Each holds up to 8 MiB, and hundreds of workers may end at the same time.
_FETCHED_AT_ONCE: Final = 8


class ShelfUploads:
    """Files stand among the chunks of their job, and go with them."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._slots = asyncio.Semaphore(_FETCHED_AT_ONCE)

    async def url(self, task: ChunkTask) -> str:
        return await self._shelf.store.upload_url(self.key(task), valid_s=_VALID_S) or ""

    def key(self, task: ChunkTask) -> str:
        container = chunk_recipe(task.settings).container
        name = f"{task.index:06}-{task.term}-{task.attempt}.{container}"
        return f"chunks/{task.job_id}/uploads/{name}"

    async def fetch(self, task: ChunkTask, output: Path) -> None:
        async with self._slots:
            try:
                await self._shelf.store.fetch(self.key(task), output)
            except ArtifactNotFoundError as error:
                raise ChunkDamagedError(
                    f"chunk {task.index} was not brought to the artifact store: {error}"
                ) from error
