"""The files that pages were heard from, kept for the callers whose chunks they belong to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from executors.errors import ChunkDamagedError
from renderer.composition import is_digest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

SHELF_BYTES: Final = 1 << 30
SOUND_NOT_FOUND: Final = "SOUND_NOT_FOUND"


class SoundShelf:
    """A folder of files by their sha256; the oldest make room for new ones. It blocks.

    What one chunk brings is kept together, however much it is.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = SHELF_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        folder.mkdir(exist_ok=True)

    def take_in(self, brought: Path) -> None:
        """Move the files of a folder here, if there are any."""
        if not brought.is_dir():
            return
        names = {file.name for file in brought.iterdir()}
        for name in names:
            shutil.move(brought / name, self._folder / name)
            (self._folder / name).touch()  # the newest, even if it was here
        self._make_room(names)

    def find(self, sha256: str) -> Path:
        """Return the file.

        Raises:
            ChunkDamagedError: it is not here, or no more.

        """
        if not is_digest(sha256) or not (self._folder / sha256).exists():
            raise ChunkDamagedError(
                f"sound {sha256[:12]}… is not here: render its chunk again",
                reason=SOUND_NOT_FOUND,
            )
        return self._folder / sha256

    def _make_room(self, names: Collection[str]) -> None:
        files = [
            (file.stat().st_mtime_ns, file.stat().st_size, file) for file in self._folder.iterdir()
        ]
        held = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if held > self._limit_bytes and file.name not in names:
                file.unlink()
                held -= size
