"""Files that a power cut leaves whole: written beside their place, synced, then renamed into it."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

_PREFIX: Final = ".part-"
_MODE: Final = 0o666  # but for what the process' umask takes away


class PartFile:
    """A file that is written beside its place, and that no living process but this one touches.

    Every user calls `close()`; what has not been placed by then is gone. Every method blocks.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor, name = _locked(folder)
        self.path = Path(name)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # a disk that is nearly full takes a part, and refuses the rest
            view = view[os.write(self._descriptor, view) :]

    def place(self, path: Path) -> None:
        """Give the file its name. Its bytes outlive a power cut; its name when its folder's is."""
        os.fsync(self._descriptor)
        self.path.replace(path)

    def close(self) -> None:
        if self._descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(folder: Path) -> tuple[int, str]:
    """A new file, locked. A sweep that came between making and locking took it: make another."""
    while True:
        name = str(folder / f"{_PREFIX}{secrets.token_hex(8)}")
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        os.close(descriptor)


def is_part(name: str) -> bool:
    return name.startswith(_PREFIX)


def sweep_parts(folder: Path) -> None:
    """Remove the part files of processes that are gone; those that live hold a lock on theirs."""
    for path in folder.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # placed or closed meanwhile
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def place(part: Path, path: Path) -> None:
    """Give a finished file its name: whole or not at all, also after a power cut."""
    sync(part)
    part.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Return when the disk holds a file's bytes, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are not there; so that they stay."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync(each.parent)
