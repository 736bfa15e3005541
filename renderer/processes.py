"""A browser's processes: remembered while they live, so that none is left when it ends."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Final

import psutil

GONE_TIMEOUT_S: Final = 3.0
_POLL_S: Final = 0.005


def tree_of(pid: int) -> list[psutil.Process]:
    """The process and all that descend from it; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def descendants_with(argument: str) -> list[psutil.Process]:
    """This process's descendants that were started with `argument` on their command line."""
    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if argument in process.cmdline():
                found.append(process)
    return found


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


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether it still runs; a zombie that nobody has reaped yet holds nothing."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
