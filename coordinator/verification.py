"""Verification: whatever executor a chunk came from, what is joined is what was asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from executors.errors import ChunkDamagedError
from renderer.bundle import sha256_of
from renderer.encode.check import check_chunk
from renderer.encode.reading.chunk import chunk_facts
from renderer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    from executors.base import ChunkResult, ChunkTask


@dataclass(frozen=True, slots=True)
class Verification:
    """Looks at chunk files; with `looking`, at so many at once by ffprobe.

    A thousand workers may finish at a time, and each ffprobe is a process of 60 ms.
    """

    ffprobe: Path
    looking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def __call__(self, task: ChunkTask, result: ChunkResult, path: Path) -> None:
        """Raise ChunkDamagedError if the file at `path` is not what the task asks for."""
        if await asyncio.to_thread(sha256_of, path) != result.sha256:
            raise ChunkDamagedError(f"chunk {task.index} is not the file that {result.worker} sent")
        if len(result.frame_digests) not in (0, len(task.frames)):
            raise ChunkDamagedError(
                f"chunk {task.index} of {result.worker} came with {len(result.frame_digests)} "
                f"digests for {len(task.frames)} frames"
            )
        try:
            facts = await chunk_facts(self.ffprobe, path, looking=self.looking)
            check_chunk(
                facts,
                frames=len(task.frames),
                settings=task.settings,
                size_px=(result.width_px, result.height_px),
            )
        except EncoderError as error:
            raise ChunkDamagedError(f"chunk {task.index} of {result.worker}: {error}") from error
