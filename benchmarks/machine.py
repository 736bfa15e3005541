"""What a result was measured on: processor, memory, and the versions of what took part."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from renderer.tools import Tools, find_tools
from worker.cgroup import limits

_ROOT: Final = Path(__file__).parents[1]


_CROWDED: Final = (
    "- **Other programs kept this machine busy meanwhile: trust CPU time, not the clock.**"
)


def description(tools: Tools | None = None) -> list[str]:
    """Lines of Markdown."""
    tools = tools or find_tools(os.environ)
    available = limits()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, framefarm at commit {_commit()}"
    room = f"{available.cpus:g} CPUs to use, {available.memory_bytes >> 30} GiB"
    system = f"{platform.system()} {platform.release()}; load when this was written: {load}"
    chromium = f"Chromium {_version(tools.chromium, '--version')}"
    programs = f"ffmpeg {_version(tools.ffmpeg, '-version')}, Python {platform.python_version()}"
    lines = [f"- {when}", f"- {_processor()}, {room}; {system}", f"- {chromium}, {programs}"]
    return [*lines, _CROWDED] if is_busy() else lines


def is_busy() -> bool:
    """Whether others use so much of this machine that wall clocks say little."""
    return os.getloadavg()[1] > 2.5 * (psutil.cpu_count() or 1)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
    return names[0] if names else platform.machine()


def _version(program: Path, argument: str) -> str:
    told = subprocess.run([program, argument], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else "of an unknown version"


def _commit() -> str:
    command = ["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    return told.stdout.strip() or "unknown"
