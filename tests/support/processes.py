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


def browsers() -> list[psutil.Process]:
    """The main processes of the browsers that live below this one, by age."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            words = process.cmdline()
            is_main = not any(word.startswith("--type=") for word in words)
            if is_main and any(word.startswith("--framefarm-browser=") for word in words):
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())
