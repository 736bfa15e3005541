"""A process's family, by the kernel's own lists."""

from __future__ import annotations

import os
import subprocess

from renderer.processes import lineage


def test_a_lineage_is_a_process_and_all_that_descends_from_it() -> None:
    nested = "sleep 60 & echo $!; read _; kill $!"
    with subprocess.Popen(
        ["sh", "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())

        assert list(lineage(parent.pid)) == [parent.pid, child_pid]
        assert {os.getpid(), parent.pid, child_pid} <= set(lineage(os.getpid()))

        parent.stdin.write(b"\n")
        parent.stdin.close()


def test_the_lineage_of_a_process_that_is_gone_is_its_name_alone() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert list(lineage(process.pid)) == [process.pid]
