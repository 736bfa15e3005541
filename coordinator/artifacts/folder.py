"""FolderArtifacts: artifacts in a folder."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from executors.storage import storing
from renderer.durable import PartFile, is_part, make_folder, sweep_parts, sync

from .base import READ_BYTES, Artifact, ArtifactNotFoundError, checked_key, checked_prefix
from .opened import opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

T = TypeVar("T")


class FolderArtifacts:
    """An ArtifactStore whose keys are paths below a folder.

    A file that is put or fetched may stand at its place there already: it stays, and is synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, file: Path, key: str) -> None:
        await self._at_work(lambda: _place(file, self._path(key), parts=self.root))

    async def fetch(self, key: str, file: Path) -> None:
        source = self._path(key)
        with storing(file.parent):
            await asyncio.to_thread(partial(_place, source, file, parts=file.parent, key=key))

    async def read(self, key: str, *, offset: int = 0) -> AsyncGenerator[bytes]:
        with await opened(lambda: _opened(self._path(key), key)) as file:
            await asyncio.to_thread(file.seek, offset)
            while data := await asyncio.to_thread(file.read, READ_BYTES):
                yield data

    async def size(self, key: str) -> int | None:
        return await asyncio.to_thread(_size, self._path(key))

    async def list_prefix(self, prefix: str, *, beginning: str = "") -> Sequence[Artifact]:
        folder, start = self._folder(prefix), f"{prefix}{beginning}"
        return await asyncio.to_thread(lambda: sorted(self._artifacts(folder, start)))

    async def list_folders(self, prefix: str) -> Sequence[str]:
        folder = self._folder(prefix)
        return await asyncio.to_thread(lambda: sorted(_folders(folder, prefix)))

    async def delete(self, *keys: str) -> None:
        paths = [self._path(key) for key in keys]
        await self._at_work(lambda: _remove(paths))

    async def delete_prefix(self, prefix: str) -> None:
        folder = self._folder(prefix)
        await self._at_work(lambda: _remove_below(folder, is_root=not prefix))

    async def forget_unended(self, *, before: datetime) -> int:
        del before  # half-written files go when a folder is opened
        return 0

    async def upload_url(self, key: str, *, valid_s: float) -> str | None:
        del key, valid_s
        return None

    async def _at_work(self, work: Callable[[], T]) -> T:
        with storing(self.root):
            return await asyncio.to_thread(work)

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)

    def _folder(self, prefix: str) -> Path:
        return self.root / checked_prefix(prefix)

    def _artifacts(self, folder: Path, start: str) -> Iterator[Artifact]:
        for base, _, names in os.walk(folder):
            for name in itertools.filterfalse(is_part, names):
                path = Path(base, name)
                key = path.relative_to(self.root).as_posix()
                if key.startswith(start) and (facts := _facts(path)):
                    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                    yield Artifact(key, facts.st_size, modified_at)


def open_folder(root: Path) -> FolderArtifacts:
    """Open a folder as a store; what killed processes left half-written is removed. Blocks."""
    make_folder(root)
    sweep_parts(root)
    return FolderArtifacts(root)


def _place(source: Path, target: Path, *, parts: Path, key: str = "") -> None:
    with _opened(source, key) as file:
        if source == target:
            sync(source)
        else:
            make_folder(target.parent)
            _copy(file, target, parts)
    sync(target.parent)


def _copy(file: IO[bytes], target: Path, parts: Path) -> None:
    with closing(PartFile(parts)) as part:
        while data := file.read(READ_BYTES):
            part.write(data)
        part.place(target)


def _opened(path: Path, key: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        if not key:  # it is no artifact, but the file to be put
            raise
        raise ArtifactNotFoundError(key) from error


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # somebody removed it meanwhile
        return None


def _folders(folder: Path, prefix: str) -> list[str]:
    if not folder.is_dir():
        return []
    return [f"{prefix}{path.name}/" for path in folder.iterdir() if path.is_dir()]


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        if folder.is_dir():
            sync(folder)


def _remove_below(folder: Path, *, is_root: bool) -> None:
    if not folder.is_dir():
        return
    if is_root:
        for each in folder.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        return
    _remove_tree(folder)
    sync(folder.parent)


def _remove_tree(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):  # somebody else is at it, too
            raise
