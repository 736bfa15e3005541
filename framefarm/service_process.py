"""A coordinator or worker of ours as a process that cannot outlive its block."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import psutil

from .errors import ServiceNotStartedError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

# Python, gRPC and a browser take a second or two, a cold disk under load much more.
START_LIMIT_S: Final = 60.0
# A worker that is asked to stop ends its browsers first; then it is asked less kindly.
STOP_LIMIT_S: Final = 10.0
TERMINATE_LIMIT_S: Final = 3.0
_LOG_LINES: Final = 20


class ServiceProcess:
    """A running worker or coordinator."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log
        self._started_s = time.monotonic()

    async def address(self) -> str:
        """Where it listens: the first line it prints.

        Raises:
            ServiceNotStartedError: it ended, or said nothing in time.

        """
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._started_s + START_LIMIT_S - time.monotonic()):
                line = await self._process.stdout.readline()
                if not line:
                    await self._process.wait()
        except TimeoutError:
            raise await self._not_started(f"it said nothing for {START_LIMIT_S:g} s") from None
        if not line:
            raise await self._not_started(f"it ended with {self._process.returncode}")
        return line.decode().strip()

    async def stop(self) -> None:
        """Ask it to end, then tell it to, then end it and all it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if await self._ends_within(STOP_LIMIT_S):
            return
        family = await asyncio.to_thread(_family, self._process.pid)
        with suppress(ProcessLookupError):
            self._process.terminate()
        if not await self._ends_within(TERMINATE_LIMIT_S):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for process in family:  # Chromium has a session of its own, which killpg does not reach
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await asyncio.to_thread(psutil.wait_procs, family, timeout=TERMINATE_LIMIT_S)
        await self._process.wait()

    async def _ends_within(self, seconds: float) -> bool:
        # Not asyncio.timeout: in a task that is being cancelled it does not say TimeoutError
        # before Python 3.11.4, and Debian 12 has 3.11.2.
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _not_started(self, why: str) -> ServiceNotStartedError:
        text = await asyncio.to_thread(self._log.read_text, errors="replace")
        return ServiceNotStartedError(self._name, why, "\n".join(text.splitlines()[-_LOG_LINES:]))


@asynccontextmanager
async def running_services(
    services: Mapping[str, Sequence[str]], folder: Path
) -> AsyncGenerator[list[ServiceProcess]]:
    """Start `python -m ARGUMENTS…` for each name, all at once; stop them when the block ends.

    Each prints its address first, and ends when its standard input closes.
    Their logs and temporary files go to `folder`.
    """
    running: list[ServiceProcess] = []
    try:
        for name, arguments in services.items():
            log = folder / f"{name.replace(' ', '-')}.log"
            running.append(ServiceProcess(name, await _start(arguments, log), log))
        yield running
    finally:
        async with asyncio.TaskGroup() as group:
            for service in running:
                group.create_task(service.stop(), name="stop-service")


async def _start(arguments: Sequence[str], log: Path) -> Process:
    stderr = await asyncio.to_thread(log.open, "wb")
    with stderr:
        return await asyncio.create_subprocess_exec(
            *_command(arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for us alone: we stop them in order
            env=os.environ | {"TMPDIR": str(log.parent)},
        )


def _command(arguments: Sequence[str]) -> list[str]:
    # -P: a folder of the user's that is called like a package of ours must not be imported.
    return [sys.executable, "-P", "-m", *arguments]


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
