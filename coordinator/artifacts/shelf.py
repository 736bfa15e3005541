"""Shelf: the files below a data directory, and the artifact store in which they outlive it."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import aclosing
from typing import TYPE_CHECKING

from .folder import FolderArtifacts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Mapping
    from pathlib import Path

    from .base import Artifact, ArtifactStore


class Shelf:
    """Files are worked on below `root`; the store is the truth, and a file's key is its path.

    Without a store, the root itself is one.
    """

    def __init__(self, root: Path, store: ArtifactStore | None = None) -> None:
        self.root = root
        self._here = FolderArtifacts(root)
        self.store = store or self._here
        self.is_here = isinstance(self.store, FolderArtifacts) and self.store.root == root

    def key(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    async def keep(self, path: Path) -> None:
        """Have a file kept; StorageError if that cannot be."""
        await self.store.put(path, self.key(path))

    async def hand_over(self, *paths: Path) -> None:
        """Have files kept, and no copy of them here, unless this is where they are kept."""
        for path in paths:
            await self.keep(path)
            if not self.is_here:
                await asyncio.to_thread(path.unlink)

    async def bring(self, path: Path, *, key: str = "") -> None:
        """Bring a kept file here; ArtifactNotFoundError if there is none."""
        await self.store.fetch(key or self.key(path), path)

    async def kept_in(self, folder: Path) -> Collection[str]:
        """The names of what is kept in a folder; of what is in folders below, paths."""
        prefix = self._prefix(folder)
        return {each.key.removeprefix(prefix) for each in await self.store.list_prefix(prefix)}

    async def files_in(self, folder: Path, *, beginning: str = "") -> Mapping[Path, Artifact]:
        """What is here or kept in a folder; all, or that whose path goes on with `beginning`."""
        prefix = self._prefix(folder)
        stores = [self._here] if self.is_here else [self._here, self.store]
        return {
            self.root / artifact.key: artifact
            for store in stores
            for artifact in await store.list_prefix(prefix, beginning=beginning)
        }

    async def folders_in(self, folder: Path) -> Collection[Path]:
        """The folders that are here or kept in a folder."""
        prefix = self._prefix(folder)
        kept = await self.store.list_folders(prefix)
        here = await self._here.list_folders(prefix)
        return {self.root / each.removesuffix("/") for each in (*kept, *here)}

    async def read(self, path: Path, *, offset: int = 0) -> AsyncGenerator[bytes]:
        """A file's bytes from `offset` on; what is only here may be of before there was a store.

        What is here, too, a killed process may have left: the store is the truth.

        Raises:
            ArtifactNotFoundError: it is neither here nor kept.

        """
        is_kept = not self.is_here and await self.store.size(self.key(path)) is not None
        where = self.store if is_kept else self._here
        async with aclosing(where.read(self.key(path), offset=offset)) as parts:
            async for data in parts:
                yield data

    async def forget(self, *paths: Path) -> None:
        """Neither keep files nor have them here any more."""
        for path in paths:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        await self.store.delete(*map(self.key, paths))

    async def forget_named(self, folder: Path, beginning: str) -> None:
        """Neither keep files and folders of a folder whose names begin so, nor have them here."""
        # Folders first: should this be cut off, it is a file that tells what is to be gone on with.
        for below in await self.folders_in(folder):
            if below.name.startswith(beginning):
                await self.forget_folder(below)
        await self.forget(*await self.files_in(folder, beginning=beginning))

    async def forget_folder(self, folder: Path) -> None:
        """Neither keep a folder nor have it here any more."""
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await self.store.delete_prefix(self._prefix(folder))

    def _prefix(self, folder: Path) -> str:
        return f"{self.key(folder)}/" if folder != self.root else ""
