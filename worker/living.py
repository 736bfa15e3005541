"""Marks: files that say that who made them lives. A lock on each ends with its process, however."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def marked(path: Path) -> Generator[None]:
    """Mark a place as in use while the block runs."""
    # Locked before it has its name: a mark without a lock is that of a process that is gone.
    unnamed = path.with_name(f".{path.name}-{os.getpid()}")
    descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        unnamed.rename(path)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Whether there is a mark, and who made it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # none, or not ours to ask about
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
