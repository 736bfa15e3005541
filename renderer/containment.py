"""A cgroup for a browser or an encoder, where there may be one: whoever left its group ends too.

Formats: Linux' cgroups(7), version 2, and of its guide to cgroup-v2 what `cgroup.kill` does.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from . import processes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_NAME: Final = re.compile(r"framefarm-(?P<owner>\d+)-\d+")
_NUMBERS: Final = count()
_POLL_S: Final = 0.002
_PROC: Final = Path("/proc")

log = logging.getLogger(__name__)


@asynccontextmanager
async def contained(pid: int) -> AsyncGenerator[None]:
    """Have a process in a cgroup of its own for the block, if this process may make one.

    What descends from it is in it, too, whatever it does, and is gone after the block. The process
    itself is left for whoever started it to reap. The block begins while it is on its way in.
    """
    entering = asyncio.create_task(asyncio.to_thread(entered, pid, own_cgroup()))
    try:
        yield
    finally:
        await asyncio.wait([entering])  # nobody can stop a thread
        if cgroup := entering.result():
            await asyncio.to_thread(cgroup.end, pid)


def own_cgroup(proc: Path = _PROC / "self") -> Path | None:
    """The folder of the cgroup (of version 2) that this process is in; None if there is none."""
    try:
        own, mounts = (proc / "cgroup").read_text(), (proc / "mountinfo").read_text()
    except OSError:  # not Linux
        return None
    if not (found := re.search(r"^0::(/.*)$", own, re.MULTILINE)):
        return None
    path = Path(found[1])
    for line in mounts.splitlines():
        mount, _, kind = line.partition(" - ")
        root, place = mount.split(" ")[3:5]
        if kind.startswith("cgroup2 ") and path.is_relative_to(root):
            return Path(place) / path.relative_to(root)
    return None


def entered(pid: int, parent: Path | None) -> Cgroup | None:
    """Put a process and its descendants into a new cgroup; None where that is not allowed. Blocks.

    Containers may not, as a rule, nor may users to whom no cgroup was delegated.
    """
    if parent is None:
        return None
    cgroup = Cgroup(parent / f"framefarm-{os.getpid()}-{next(_NUMBERS)}")
    try:
        cgroup.folder.mkdir()
        cgroup.take_in(pid)
    except OSError as error:
        log.debug("no cgroup for a process", extra={"pid": pid, "why": str(error)})
        with suppress(OSError):
            cgroup.folder.rmdir()
        return None
    _sweep(parent)
    return cgroup


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A cgroup that is ours."""

    folder: Path

    def take_in(self, pid: int) -> None:
        """Move a process here, and those that descended from it before it was here.

        Raises:
            OSError: it may not be moved, or could not be killed here.

        """
        (self.folder / "cgroup.kill").stat()  # Linux 5.14
        known = set[int]()
        while late := set(processes.lineage(pid)) - known:
            for each in late:
                with suppress(ProcessLookupError):  # it has ended
                    (self.folder / "cgroup.procs").write_text(str(each))
            known |= late

    def members(self) -> set[int]:
        """The processes that are here."""
        return set(map(int, (self.folder / "cgroup.procs").read_text().split()))

    def end(self, reaped_elsewhere: int) -> None:
        """Kill all that is here, wait until it is gone, and be gone. Blocks.

        What cannot be done is logged: whoever started `reaped_elsewhere` ends its family, too.
        """
        found: dict[int, psutil.Process] = {}
        deadline_s = time.monotonic() + processes.GONE_TIMEOUT_S
        try:
            for pid in self.members():
                with suppress(psutil.NoSuchProcess):
                    found[pid] = psutil.Process(pid)
            (self.folder / "cgroup.kill").write_text("1")
            self._remove(deadline_s)
        except OSError as error:
            facts = {"folder": str(self.folder), "why": str(error)}
            log.warning("a cgroup was not ended", extra=facts)
        found.pop(reaped_elsewhere, None)
        processes.reap(found, deadline_s, besides=reaped_elsewhere)

    def _remove(self, deadline_s: float) -> None:
        """Remove the folder, which is busy as long as somebody here is not quite dead."""
        while True:
            try:
                return self.folder.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > deadline_s:
                    raise
            time.sleep(_POLL_S)


def _sweep(parent: Path) -> None:
    """Remove what others left who were killed; one with a process in it stays."""
    for folder in parent.glob("framefarm-*"):
        found = _NAME.fullmatch(folder.name)
        if found and not psutil.pid_exists(int(found["owner"])):
            with suppress(OSError):
                folder.rmdir()
