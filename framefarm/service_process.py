"""A coordinator or worker of ours as a process that cannot outlive its block."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from .errors import ServiceNotStartedError
from .service_start import start_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path
    from subprocess import Popen

    import psutil

# Python, gRPC and a browser take a second or two, a cold disk under load much more.
START_LIMIT_S: Final = 60.0
# A worker that is asked to stop ends its browsers first; then it is asked less kindly.
STOP_LIMIT_S: Final = 10.0
TERMINATE_LIMIT_S: Final = 3.0
_LOG_LINES: Final = 20


class ServiceProcess:
    """A running worker or coordinator."""

    def __init__(self, name: str, process: Popen[bytes], log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log
        self._started_s = time.monotonic()
        self._heard: asyncio.ReadTransport | None = None

    def tell(self, line: bytes) -> None:
        """Write a line to its standard input. Whether it has ended is `address`' to say."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + b"\n")

    async def address(self) -> str:
        """Where it listens: the first line it prints.

        Raises:
            ServiceNotStartedError: it ended, or said nothing in time.

        """
        try:
            async with asyncio.timeout(self._started_s + START_LIMIT_S - time.monotonic()):
                line = await self._first_line()
        except TimeoutError:
            raise await self._not_started(f"it said nothing for {START_LIMIT_S:g} s") from None
        if not line:
            code = await asyncio.to_thread(self._process.wait)
            raise await self._not_started(f"it ended with {code}")
        return line.decode().strip()

    async def stop(self) -> None:
        """Ask it to end, then tell it to, then end it and all it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            if not await self._ends_within(STOP_LIMIT_S):
                await self._end()
        finally:
            self._hear_no_more()

    async def _end(self) -> None:
        import psutil  # here: hardly a service has to be ended like this

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
        await asyncio.to_thread(self._process.wait)

    async def _first_line(self) -> bytes:
        assert self._process.stdout is not None
        reader = asyncio.StreamReader()
        self._heard, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        return await reader.readline()

    def _hear_no_more(self) -> None:
        if self._heard is not None:
            self._heard.close()
        elif self._process.stdout is not None:
            self._process.stdout.close()

    async def _ends_within(self, seconds: float) -> bool:
        ending = asyncio.create_task(asyncio.to_thread(self._process.wait), name="service-ends")
        done, _ = await asyncio.wait([ending], timeout=seconds)
        return bool(done)

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
    async with stopped(running):
        for name, arguments in services.items():
            log = folder / f"{name.replace(' ', '-')}.log"
            # Not in a thread: one that is cancelled would leave its process to nobody.
            running.append(ServiceProcess(name, start_service(arguments, log), log))
        yield running


@asynccontextmanager
async def stopped(services: Sequence[ServiceProcess]) -> AsyncGenerator[None]:
    """Stop services when the block ends, all at once."""
    try:
        yield
    finally:
        async with asyncio.TaskGroup() as group:
            for service in services:
                group.create_task(service.stop(), name="stop-service")


def _family(pid: int) -> list[psutil.Process]:
    import psutil

    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
