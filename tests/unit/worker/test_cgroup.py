from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from worker.cgroup import limits

HOST_CPUS = len(os.sched_getaffinity(0))
HOST_MEMORY = psutil.virtual_memory().total


def a_cgroup(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    "files",
    [
        {"cpu.max": "50000 100000", "memory.max": "104857600"},
        {
            "cpu/cpu.cfs_quota_us": "50000",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "104857600",
        },
    ],
    ids=["version 2", "version 1"],
)
def test_the_cgroups_limits_count(tmp_path: Path, files: Mapping[str, str]) -> None:
    found = limits(a_cgroup(tmp_path, files))

    assert (found.cpus, found.memory_bytes) == (0.5, 100 << 20)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.max": "max 100000", "memory.max": "max"},
        {
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
    ],
    ids=["no cgroup", "version 2", "version 1"],
)
def test_without_a_limit_it_is_the_hosts(tmp_path: Path, files: Mapping[str, str]) -> None:
    found = limits(a_cgroup(tmp_path, files))

    assert (found.cpus, found.memory_bytes) == (HOST_CPUS, HOST_MEMORY)
