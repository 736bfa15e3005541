"""KeptBundles: a coordinator's bundles, and the artifact store in which they outlive its disk."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Final

from executors.errors import BundleAbsentError
from executors.storage import storing
from executors.tasks import task_group
from renderer.bundle import BundleManifest
from renderer.composition import BundleEntry

from .base import ArtifactNotFoundError
from .claims import Claims
from .opened import opened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from coordinator.job import JobSpec
    from renderer.bundle import BundleStore

    from .shelf import Shelf

_AT_ONCE: Final = 8


class KeptBundles:
    """The bundles that stand here or in the store. The store's are brought when they are wanted."""

    def __init__(self, here: BundleStore, shelf: Shelf) -> None:
        self.here = here
        self.shelf = shelf
        self.claims = Claims()

    async def claim(self, manifest: BundleManifest) -> None:
        """See to it that nothing of a bundle that is to be kept is removed."""
        await self.claims.claim([manifest.digest, *_blobs(manifest)])

    async def keep(self, digest: str) -> None:
        """Have a bundle kept that is here; its manifest is kept last.

        Raises:
            StorageError: it cannot be.

        """
        if self.shelf.is_here:
            return
        manifest = await asyncio.to_thread(self.here.manifest, digest)
        slots = asyncio.Semaphore(_AT_ONCE)
        async with task_group() as group:
            for sha256 in _blobs(manifest):
                group.create_task(self._keep_blob(sha256, slots), name=f"keep-blob-{sha256}")
        await self.shelf.keep(self.here.manifest_file(digest))

    async def files(self, digest: str) -> Mapping[str, Path]:
        """A bundle's paths, each with the file here that holds its bytes.

        Raises:
            KeyError: no such bundle, here or in the store.
            StorageError: it cannot be brought.

        """
        await self.claims.claim([digest])
        if not self.shelf.is_here and not await asyncio.to_thread(self.here.has, digest):
            await self._bring(digest)
        return await asyncio.to_thread(self.here.files, digest)

    async def bring(self, digests: Iterable[str]) -> None:
        """See to it that bundles are here, if they are kept elsewhere.

        Raises:
            BundleAbsentError: one was never uploaded, or has been deleted.
            StorageError: it cannot be brought.

        """
        for digest in () if self.shelf.is_here else digests:
            try:
                await self.files(digest)
            except KeyError as error:
                problem = f"bundle {digest[:12]}… is here no more: upload it, and make a new job"
                raise BundleAbsentError(problem) from error

    async def blobs(self, digest: str) -> Collection[str]:
        """The digests of the files of a bundle that is kept; KeyError if there is none."""
        if await asyncio.to_thread(self.here.has, digest):
            return _blobs(await asyncio.to_thread(self.here.manifest, digest))
        try:
            text = await self._read(self.here.manifest_file(digest))
        except ArtifactNotFoundError as error:
            raise KeyError(digest) from error
        return _blobs(BundleManifest.parse(text.decode()))

    async def _bring(self, digest: str) -> None:
        try:
            text = await self._read(self.here.manifest_file(digest))
            manifest = BundleManifest.parse(text.decode())
            slots = asyncio.Semaphore(_AT_ONCE)
            async with task_group() as group:
                for sha256 in await asyncio.to_thread(self.here.missing, manifest):
                    group.create_task(self._bring_blob(sha256, slots), name=f"bring-{sha256}")
        except (ArtifactNotFoundError, ValueError) as error:  # a ValueError: it is no digest
            raise KeyError(digest) from error
        with storing(self.here.root):
            await asyncio.to_thread(self.here.keep, manifest)

    async def _keep_blob(self, sha256: str, slots: asyncio.Semaphore) -> None:
        path = self.here.blob(sha256)
        async with slots:
            if await self.shelf.store.size(self.shelf.key(path)) is None:
                await self.shelf.keep(path)

    async def _bring_blob(self, sha256: str, slots: asyncio.Semaphore) -> None:
        async with slots:
            with (
                storing(self.here.root),
                closing(await opened(lambda: self.here.writer(sha256))) as writer,
            ):
                key = self.shelf.key(self.here.blob(sha256))
                async with aclosing(self.shelf.store.read(key)) as parts:
                    async for data in parts:
                        await asyncio.to_thread(writer.write, data)
                await asyncio.to_thread(writer.finish)

    async def _read(self, path: Path) -> bytes:
        async with aclosing(self.shelf.store.read(self.shelf.key(path))) as parts:
            return b"".join([data async for data in parts])


def bundles_of(spec: JobSpec) -> list[str]:
    """The digests of the bundles that a job uses, each once."""
    entries = [track.source for track in spec.audio]
    entries += [file.source for file in spec.subtitles.files]
    if isinstance(spec.composition, BundleEntry):
        entries.append(spec.composition)
    return list(dict.fromkeys(entry.digest for entry in entries))


def _blobs(manifest: BundleManifest) -> set[str]:
    return {file.sha256 for file in manifest.files}
