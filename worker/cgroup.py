"""What this process may use, by its cgroup and not by its host. Formats: Linux' cgroups(7)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# A browser has 250 to 350 MB as a rule, and an encoder 150, of which a slot may have two: its last
# chunk's beside the one that is filmed. Large pages have more.
SLOT_BYTES: Final = 1 << 30
_ROOT: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Limits:
    cpus: float
    memory_bytes: int


def slots_for(limits: Limits) -> int:
    """How many chunks these can serve at a time: each paints on one CPU and needs its memory."""
    return max(1, min(int(limits.cpus), limits.memory_bytes // SLOT_BYTES))


def limits(root: Path = _ROOT) -> Limits:
    """The CPUs and the memory that may be used: the cgroup's limits, where it has any."""
    host_cpus = float(len(os.sched_getaffinity(0)))
    host_memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Limits(
        cpus=min(host_cpus, _cpus(root) or host_cpus),
        memory_bytes=min(host_memory, _memory(root) or host_memory),
    )


def oom_kills(
    root: Path = _ROOT, own: Path = Path("/proc/self/cgroup"), host: Path = Path("/proc/vmstat")
) -> int:
    """How many processes the kernel has killed for want of memory, where this one is limited.

    Counted by the cgroup of this process; on a host that has none, by the host.
    """
    places = (path / name for path, name in _memory_cgroups(root, _read(own) or ""))
    for place in (*places, host):
        for line in (_read(place) or "").splitlines():
            key, _, count = line.partition(" ")
            if key == "oom_kill":
                return int(count)
    return 0


def _memory_cgroups(root: Path, own: str) -> Iterator[tuple[Path, str]]:
    """Where the counts of this process's cgroup may stand; in a container, it is the root."""
    for line in own.splitlines():  # "4:memory:/a/b" of version 1, "0::/a/b" of version 2
        _, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if "memory" in controllers.split(","):
            yield root / "memory" / inside, "memory.oom_control"
            yield root / "memory", "memory.oom_control"
        elif not controllers:
            yield root / inside, "memory.events"
            yield root, "memory.events"


def _cpus(root: Path) -> float | None:
    if quota := _read(root / "cpu.max"):  # version 2: "200000 100000", or "max 100000"
        most, period = quota.split()
        return None if most == "max" else int(most) / int(period)
    allowed = _read(root / "cpu/cpu.cfs_quota_us")
    each = _read(root / "cpu/cpu.cfs_period_us")
    if not allowed or not each or int(allowed) <= 0:  # version 1: -1 is no limit
        return None
    return int(allowed) / int(each)


def _memory(root: Path) -> int | None:
    most = _read(root / "memory.max") or _read(root / "memory/memory.limit_in_bytes")
    return int(most) if most and most != "max" else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:  # another cgroup version, or none at all
        return None
