"""Whether processes may be put into cgroups of their own here."""

from __future__ import annotations

import subprocess
from pathlib import Path

from renderer.containment import entered, own_cgroup

from .require import missing


def cgroup_or_skip() -> Path:
    """The cgroup of this process, in which it may make others."""
    folder = own_cgroup()
    with subprocess.Popen(["sleep", "600"]) as process:
        cgroup = entered(process.pid, folder)
        process.kill()
    if folder is None or cgroup is None:
        missing("cgroup", f"in the one of version 2 ({folder}) this process may make no others")
    cgroup.end(process.pid)
    return folder
