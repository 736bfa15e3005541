"""ChunkUploads: the port to where workers bring chunk files themselves, past the coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from .base import ChunkTask


class ChunkUploads(Protocol):
    """A place for the file of each attempt, named by the attempt: no other overwrites it."""

    async def url(self, task: ChunkTask) -> str:
        """Where the attempt's file may be PUT for a while; "" where that cannot be.

        Raises:
            StorageError: nobody knows now.

        """
        ...

    def key(self, task: ChunkTask) -> str:
        """By what name the attempt's file is kept, if it was brought (`ChunkResult.artifact`)."""
        ...

    async def fetch(self, task: ChunkTask, output: Path) -> None:
        """Write what was brought to `output`, which has its name when it is whole.

        Raises:
            ChunkDamagedError: nothing was brought.
            StorageError: it cannot be fetched.

        """
        ...
