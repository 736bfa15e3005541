"""Exhibition: the pictures that show why a job failed, kept for those who want to see them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from executors.errors import StorageError
from renderer.bundle import sha256_of
from renderer.encode.difference import write_difference
from renderer.errors import RenderError

from .job import StoredPicture
from .seams import SeamMismatchError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from .artifacts.shelf import Shelf
    from .seams import Seam

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exhibition:
    """A folder for the pictures of one job; it is made when there are any. None keeps none."""

    folder: Path | None
    ffmpeg: Path
    shelf: Shelf | None = None

    @asynccontextmanager
    async def of_mismatch(self) -> AsyncGenerator[None]:
        """Keep both pictures, and where they differ, when the block ends at a torn seam."""
        try:
            yield
        except SeamMismatchError as error:
            error.pictures = await self._kept(error.seam)
            raise

    async def _kept(self, seam: Seam) -> tuple[StoredPicture, ...]:
        pictures = seam.left.edges.following, seam.right.edges.first
        if self.folder is None or not all(pictures):
            return ()
        try:
            return await self._hang(self.folder, seam, pictures)
        except (
            OSError,
            RenderError,
            StorageError,
        ) as problem:  # the job's own error is the one to be told
            log.warning("pictures were not kept", extra={"seam": str(seam), "why": str(problem)})
            return ()

    async def _hang(
        self, folder: Path, seam: Seam, pictures: tuple[bytes, bytes]
    ) -> tuple[StoredPicture, ...]:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        paths = [folder / f"frame-{seam.frame}-{name}.png" for name in _names(seam)]
        for path, picture in zip(paths[:2], pictures, strict=True):
            await asyncio.to_thread(path.write_bytes, picture)
        await write_difference(self.ffmpeg, pictures, paths[-1])
        stored = [await asyncio.to_thread(_stored, path) for path in paths]
        if self.shelf is not None:
            await self.shelf.hand_over(*paths)
        return tuple(stored)


def _names(seam: Seam) -> tuple[str, str, str]:
    return f"after-chunk-{seam.left.index}", f"in-chunk-{seam.right.index}", "difference"


def _stored(path: Path) -> StoredPicture:
    return StoredPicture(name=path.name, size_bytes=path.stat().st_size, sha256=sha256_of(path))
