"""A real file system that is soon full."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .require import missing

BLOCK_BYTES = 64 << 10
# Whoever may not mount does so in name spaces of their own; /proc is the way in from here.
HELD = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && cat'


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Generator[Path]:
    """A folder, for one at `folder`, on a disk of this size."""
    folder.mkdir(exist_ok=True)
    opened = _mounted if os.geteuid() == 0 else _held
    with opened(folder, size_bytes) as disk:
        yield disk


@contextmanager
def _mounted(folder: Path, size_bytes: int) -> Generator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        with _held(folder, size_bytes) as disk:
            yield disk
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _held(folder: Path, size_bytes: int) -> Generator[Path]:
    if not (unshare := shutil.which("unshare")):
        missing("tmpfs", "there is no unshare")
    command = [unshare, "-Urm", "sh", "-c", HELD, "sh", str(size_bytes), str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            if holder.stdout.readline() != b"mounted\n":
                missing("tmpfs", "this user may neither mount nor make name spaces")
            yield Path(f"/proc/{holder.pid}/root{folder}")
        finally:
            holder.stdin.close()


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fill a disk up to its last bytes; remove the file that is returned to make room."""
    disk = os.statvfs(folder)
    path = folder / "filling"
    left = disk.f_bavail * disk.f_frsize - leave_bytes
    with path.open("wb", buffering=0) as file:
        try:
            while left > 0:
                left -= file.write(bytes(min(left, BLOCK_BYTES)))
        except OSError as error:
            if error.errno != errno.ENOSPC:  # others write there, too
                raise
    return path
