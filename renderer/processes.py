"""A browser's processes: remembered while they live, so that none is left when it ends."""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GONE_TIMEOUT_S: Final = 3.0
_PR_SET_CHILD_SUBREAPER: Final = 36  # prctl(2), Linux
_POLL_S: Final = 0.005
_PROC: Final = Path("/proc")


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, as process 1 otherwise would.

    Chromium's helpers lose theirs when the browser is killed; a container's process 1 may not
    reap, and then they stay as zombies. For a process that is ours; `end_all` does the reaping.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def tree_of(pid: int) -> list[psutil.Process]:
    """The process and all that descend from it; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def lineage(pid: int) -> Iterator[int]:
    """Yield the process and what descends from it, without a look at all others.

    By lists of the kernel's that some kernels do not keep: then it is the process alone.
    """
    yield pid
    for children in (_PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in children.read_text().split():
                yield from lineage(int(child))


def memory_bytes(pid: int) -> int:
    """What a process and all that descend from it hold in memory. Blocks.

    What processes share (code, the pixels of tiles) is in the size of each: the most that one of
    them shares is counted, and what each has for itself.
    """
    own, most_shared = 0, 0
    for process in tree_of(pid):
        with suppress(psutil.NoSuchProcess):
            held = process.memory_info()
            own += held.rss - held.shared
            most_shared = max(most_shared, held.shared)
    return own + most_shared


def group_of(leader_pid: int) -> list[psutil.Process]:
    """The processes of a group, found even when its leader has died."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == leader_pid:
                found.append(process)
    return found


def end_all(pid: int) -> None:
    """Kill what descends from `pid` or is in its group, and wait until it is gone. Blocks."""
    doomed = {process.pid: process for process in (*tree_of(pid), *group_of(pid))}
    for process in doomed.values():
        with suppress(psutil.NoSuchProcess):  # psutil checks that the pid is still this process
            process.kill()
    deadline_s = time.monotonic() + GONE_TIMEOUT_S
    while any(map(_is_alive, doomed.values())) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    reap(doomed, deadline_s)


def reap(dead: Mapping[int, psutil.Process], deadline_s: float, *, besides: int = 0) -> None:
    """Reap who is, or is about to become, our child; others have who reaps them. Blocks.

    `besides` has died, too, and is another's to reap.
    """
    family = {os.getpid(), besides, *dead}
    while ours := [process for process in dead.values() if _parent_pid(process) in family]:
        for process in ours:
            with suppress(ChildProcessError):  # not ours yet
                os.waitpid(process.pid, os.WNOHANG)
        if time.monotonic() > deadline_s:
            return
        time.sleep(_POLL_S)


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether it still runs; a zombie that nobody has reaped yet holds nothing."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
