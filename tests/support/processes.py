"""Which processes live below this one."""

from __future__ import annotations

from contextlib import suppress

import psutil


def descendants() -> set[tuple[int, str]]:
    """(pid, name) of every living descendant; zombies hold nothing and do not count."""
    found = set[tuple[int, str]]()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.add((process.pid, process.name()))
    return found
