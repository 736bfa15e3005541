"""A cgroup with little memory, for processes of a test."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .eventually import POLL_S
from .require import missing

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def memory_cgroup(limit_bytes: int) -> Generator[Path]:
    """The folder of a new cgroup; who writes its pid into `cgroup.procs` there is limited."""
    is_v1 = (_ROOT / "memory").is_dir()
    folder = _ROOT / ("memory" if is_v1 else "") / f"framefarm-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        missing("cgroup", f"{folder} cannot be made: {error}")
    try:
        _limit(folder / ("memory.limit_in_bytes" if is_v1 else "memory.max"), limit_bytes)
        yield folder
    finally:
        _remove(folder)


def _limit(file: Path, limit_bytes: int) -> None:
    try:
        with file.open("r+") as limit:  # the kernel makes it, where memory may be limited
            limit.write(str(limit_bytes))
    except OSError as error:
        missing("cgroup", f"{file} cannot be written: {error}")


def _remove(folder: Path) -> None:
    """A cgroup can go when its last process has, which takes the kernel a moment."""
    deadline_s = time.monotonic() + 30
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(POLL_S)
