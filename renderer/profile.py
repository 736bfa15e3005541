"""Browsers' profiles: a folder each, which is gone when its browser is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PREFIX: Final = "framefarm-browser-"
# Between making a folder and locking it, nobody may take it for one that was left.
_YOUNG_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A folder, and the descriptor that holds its lock: until it is closed, somebody uses it."""

    folder: Path
    lock: int


def make_profile() -> Profile:
    """Make an empty one, for who removes it."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return Profile(folder, lock)


def remove_profile(profile: Profile) -> None:
    """Remove the folder with all that is in it. Blocks."""
    shutil.rmtree(profile.folder, ignore_errors=True)
    os.close(profile.lock)


def sweep_profiles() -> None:
    """Remove what those left who were killed. Blocks.

    Locks and not process ids tell who lives: containers may share a folder.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody uses it, or it is another user's
            if time.time() - folder.stat().st_mtime < _YOUNG_S:
                continue
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
