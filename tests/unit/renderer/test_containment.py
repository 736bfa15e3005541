from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest

from renderer.containment import Cgroup, contained, entered, own_cgroup
from tests.support.containing import cgroup_or_skip
from tests.support.eventually import eventually

V1 = "30 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw"
HYBRID = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
A_PART = "29 23 0:26 /pods/one /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw"
# A child that waits for a line; then its grandchild is in a session of its own, and a child of
# nobody's: neither a process group nor a family tells whose it was.
ESCAPING = """
import os, sys, time
sys.stdin.readline()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""


@contextmanager
def escaping() -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", ESCAPING], stdin=PIPE, stdout=PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ours(folder: Path) -> list[Path]:
    return list(folder.glob(f"framefarm-{os.getpid()}-*"))


def members(folder: Path) -> set[int]:
    return {pid for each in ours(folder) for pid in Cgroup(each).members()}


@pytest.fixture
def parent() -> Path:
    """Where this process may make cgroups."""
    return cgroup_or_skip()


@pytest.mark.parametrize(
    ("own", "mounts", "folder"),
    [
        ("0::/user.slice/a", [V2], Path("/sys/fs/cgroup/user.slice/a")),
        ("0::/", [V2], Path("/sys/fs/cgroup")),
        ("4:memory:/x\n0::/y", [V1, HYBRID], Path("/sys/fs/cgroup/unified/y")),
        ("0::/pods/one/two", [A_PART], Path("/sys/fs/cgroup/two")),
        ("0::/../elsewhere", [A_PART], None),
        ("4:memory:/x", [V1], None),
        ("0::/", [V1], None),
    ],
)
def test_a_process_finds_the_cgroup_that_it_is_in(
    tmp_path: Path, own: str, mounts: list[str], folder: Path | None
) -> None:
    (tmp_path / "cgroup").write_text(own + "\n")
    (tmp_path / "mountinfo").write_text("\n".join(mounts) + "\n")

    assert own_cgroup(tmp_path) == folder


def test_where_there_is_no_proc_there_is_no_cgroup(tmp_path: Path) -> None:
    assert own_cgroup(tmp_path) is None


def test_where_no_cgroup_can_be_made_nothing_is(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        nowhere, no_cgroup = tmp_path / "nowhere", tmp_path
        found = [entered(process.pid, parent) for parent in (None, nowhere, no_cgroup)]
        process.kill()

    assert found == [None, None, None]
    assert not list(tmp_path.iterdir())


async def test_who_leaves_group_and_family_ends_with_the_block_all_the_same(parent: Path) -> None:
    with escaping() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        async with contained(process.pid):
            await eventually(lambda: process.pid in members(parent))
            print(file=process.stdin, flush=True)
            stray = psutil.Process(int(process.stdout.readline()))
            family = psutil.Process(process.pid).children(recursive=True)

    assert stray not in family
    assert not stray.is_running() or stray.status() == psutil.STATUS_ZOMBIE
    assert not ours(parent)


def test_what_somebody_left_who_was_killed_is_removed(parent: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    left = parent / f"framefarm-{gone.pid}-0"
    left.mkdir()

    cgroup_or_skip()

    assert not left.exists()


def test_a_cgroup_that_somebody_has_taken_away_spoils_no_good_end(
    parent: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        cgroup = entered(process.pid, parent)
        process.kill()
    assert cgroup is not None
    cgroup.folder.rmdir()

    cgroup.end(process.pid)

    assert [record.message for record in caplog.records] == ["a cgroup was not ended"]
