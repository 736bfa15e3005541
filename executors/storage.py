"""A full disk, told as what it is: one error, whoever met it (a write of ours, or ffmpeg's)."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from renderer.errors import RenderError

from .errors import StorageFullError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_SAYINGS: Final = tuple(os.strerror(code) for code in _FULL)  # what ffmpeg ends with, too


@contextmanager
def storing(folder: Path) -> Generator[None]:
    """Write below `folder` in this block.

    Raises:
        StorageFullError: in place of what a full disk made fail.

    """
    try:
        yield
    except (OSError, RenderError) as error:
        if not is_full(error):
            raise
        raise StorageFullError(
            f"{folder} is full ({free_bytes(folder) >> 20} MiB are free): make room there"
        ) from error


def is_full(error: OSError | RenderError) -> bool:
    """Whether it was a full disk that made this fail."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(saying in str(error) for saying in _SAYINGS)


def free_bytes(folder: Path) -> int:
    """What may still be written below a folder; blocks, but not for long."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
