"""The command line as its users have it: a process with exit code, output and signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_LIMIT_S = 15


@dataclass(frozen=True)
class Ended:
    code: int | None
    out: str
    err: str


class CommandLine:
    """A `framefarm …` that runs. What it prints to standard error is in `err` as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.err = ""

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @property
    def is_frozen(self) -> bool:
        return psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED

    async def said(self, text: str) -> None:
        """Read standard error until `text` has come."""
        assert self._process.stderr is not None
        async with asyncio.timeout(60):
            while text not in self.err:
                line = await self._process.stderr.readline()
                assert line, f"it ended and never said {text!r}:\n{self.err}"
                self.err += line.decode()

    async def first_line(self) -> str:
        """What it prints to standard output first: a service's address."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            return (await self._process.stdout.readline()).decode().strip()

    async def ended(self, *, within_s: float = 120) -> Ended:
        async with asyncio.timeout(within_s):
            out, err = await self._process.communicate()
        self.err += err.decode()
        return Ended(self._process.returncode, out.decode(), self.err)


@asynccontextmanager
async def framefarm_command(
    *arguments: str,
    temporary: Path | None = None,
    module: str = "framefarm",
    **environment: str,
) -> AsyncGenerator[CommandLine]:
    """Start `framefarm ARGUMENTS…`; all it starts has `temporary` as its folder for such files.

    `module` may do something to it first.
    """
    variables = {k: v for k, v in os.environ.items() if k != "FRAMEFARM_FARM"} | environment
    if temporary is not None:
        variables["TMPDIR"] = str(temporary)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=variables,
    )
    try:
        yield CommandLine(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()


async def framefarm(*arguments: str, temporary: Path | None = None, **environment: str) -> Ended:
    """Run `framefarm ARGUMENTS…` to its end."""
    async with framefarm_command(*arguments, temporary=temporary, **environment) as command:
        return await command.ended()


def living_in(temporary: Path) -> list[str]:
    """The processes, wherever they hang in the tree, whose temporary files are in this folder."""
    found: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.environ().get("TMPDIR", "").startswith(str(temporary)):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
    return found
