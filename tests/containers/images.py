"""The real images, built by the `docker` command, and what earlier runs have left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import psutil

from tests.support.require import missing

ROOT: Final = Path(__file__).parents[2]
LABEL: Final = "framefarm.tests.pid"
LABELS: Final = {LABEL: str(os.getpid())}
TAG: Final = "test"


def require_engine() -> None:
    if shutil.which("docker") is None:
        missing("docker", "there is no docker command here")
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        missing("docker", f"no engine answers: {answer.stderr.strip()}")


def build_images() -> None:
    """Build both images by the script that users call. What has not changed comes from cache."""
    command = [str(ROOT / "scripts" / "build-images"), TAG]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def image(service: str) -> str:
    return f"framefarm-{service}:{TAG}"


def sweep() -> None:
    """Remove containers and networks of test runs whose process is gone.

    Usually testcontainers' own reaper does this, but its image comes from a registry, and these
    tests run where there is none.
    """
    for container in _orphans("ps", "--all"):
        _docker("rm", "--force", "--volumes", container)
    for network in _orphans("network", "ls"):
        _docker("network", "rm", network)


def _orphans(*listing: str) -> list[str]:
    form = f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}'
    lines = _docker(*listing, "--filter", f"label={LABEL}", "--format", form).splitlines()
    rows = [line.split() for line in lines]
    return [found for found, pid in rows if not psutil.pid_exists(int(pid))]


def _docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
