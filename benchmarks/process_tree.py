"""Runs a command and measures all of it: wall clock, CPU of every process, peak memory.

`python -m benchmarks.process_tree RESULT.json LIMIT_S LOG -- COMMAND…`, a process of its own, so
that what the command leaves behind becomes this process's child, and counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from renderer.processes import adopt_orphans

from .drivers.base import Command

_SAMPLE_S: Final = 0.25
_GRACE_S: Final = 3.0
OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a command took. `cpu_by_kind_s` is sampled, `cpu_s` is the kernel's own sum."""

    exit_code: int | None  # None: the time was up
    wall_s: float
    cpu_s: float
    peak_memory_mb: int
    cpu_by_kind_s: dict[str, float]


async def measure(command: Command, log: Path, *, limit_s: float) -> Usage:
    """Run the command to its end, or for `limit_s`; what it says goes to `log`."""
    result = log.with_suffix(".json")
    ours = [sys.executable, "-m", "benchmarks.process_tree", str(result), str(limit_s), str(log)]
    process = await asyncio.create_subprocess_exec(
        *ours,
        "--",
        *command.arguments,
        env={**os.environ, **command.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
        cwd=command.folder,
    )
    try:
        if await process.wait() != 0:
            raise RuntimeError(f"measuring failed; its log is {log}")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return Usage(**json.loads(await asyncio.to_thread(result.read_text)))


def main() -> None:
    result, limit_s, log = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    command = sys.argv[sys.argv.index("--") + 1 :]
    adopt_orphans()
    with log.open("wb") as said:
        usage = _run(command, said.fileno(), limit_s)
    result.write_text(json.dumps(asdict(usage)))


def _run(command: list[str], said: int, limit_s: float) -> Usage:
    began_s = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
    )
    seen = _Seen()
    try:
        while process.poll() is None and time.monotonic() - began_s < limit_s:
            seen.look()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SAMPLE_S)
        wall_s = time.monotonic() - began_s
    finally:
        code = process.poll()
        _end_all()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(
        exit_code=code,
        wall_s=wall_s,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_memory_mb=seen.peak_bytes >> 20,
        cpu_by_kind_s=seen.cpu_by_kind_s(),
    )


def _end_all() -> None:
    """Let what is left end by itself for a moment; then kill it. All of it is ours."""
    last_s = time.monotonic() + _GRACE_S
    while children := psutil.Process().children(recursive=True):
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() > last_s:
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        time.sleep(0.02)


class _Seen:
    """What the samples say: CPU time of each process when last seen, and memory of all at once."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._cpu_s: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        memory = 0
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                key = process.pid, process.create_time()
                kind = kind_of(process.cmdline())
                if kind == OTHER and key in self._cpu_s:  # it has ended and lost its command line
                    kind = self._cpu_s[key][0]
                self._cpu_s[key] = kind, times.user + times.system
                memory += process.memory_info().rss - process.memory_info().shared
        self.peak_bytes = max(self.peak_bytes, memory)

    def cpu_by_kind_s(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        for kind, cpu_s in self._cpu_s.values():
            sums[kind] = sums.get(kind, 0.0) + cpu_s
        return sums


def kind_of(command: list[str]) -> str:
    """Say which part of a renderer a process is, by its command line."""
    if not command:
        return OTHER
    program = Path(command[0]).name
    if "chrom" in program or "headless" in program:
        kinds = (word.removeprefix("--type=") for word in command if word.startswith("--type="))
        return f"chromium {next(kinds, 'browser')}"
    for known in ("ffmpeg", "ffprobe", "python", "node"):
        if program.startswith(known):
            return known
    return OTHER


if __name__ == "__main__":
    main()
