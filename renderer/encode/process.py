"""A tool's process (ffmpeg, ffprobe) that cannot outlive the block that started it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Final

from renderer.errors import EncoderError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

_STDOUT_FD: Final = 1
_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 6


async def run(arguments: Sequence[str]) -> bytes:
    """Run a tool to its end and return what it printed.

    Raises:
        EncoderError: it failed; with its last lines.
        MissingToolError: it cannot be started.

    """
    async with running(arguments) as process:
        await process.ended()
        process.check()
        return bytes(process.printed)


@asynccontextmanager
async def running(arguments: Sequence[str], *, stdin: int = DEVNULL) -> AsyncGenerator[Process]:
    """Start a tool in a process group of its own; the block's end kills and reaps what is left.

    Raises:
        MissingToolError: it cannot be started.

    """
    # A start that is cancelled half-way would end the tool, and leave what it has started itself.
    starting = asyncio.create_task(_start(arguments, stdin), name="tool-start")
    try:
        _, process = await asyncio.shield(starting)
        yield process
    finally:
        await asyncio.wait([starting])
        if starting.exception() is None:
            await _end(*starting.result())


async def _start(
    arguments: Sequence[str], stdin: int
) -> tuple[asyncio.SubprocessTransport, Process]:
    try:
        return await asyncio.get_running_loop().subprocess_exec(
            lambda: Process(Path(arguments[0]).name),
            *arguments,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise MissingToolError(
            f"{arguments[0]} cannot be started: {error.strerror}; install ffmpeg"
        ) from error


async def _end(transport: asyncio.SubprocessTransport, process: Process) -> None:
    _kill_group(transport)
    try:
        await process.ended()
    finally:
        transport.close()


class Process(asyncio.SubprocessProtocol):
    """What a tool printed, the end of what it complained about, and how it ended."""

    def __init__(self, name: str) -> None:
        self.printed = bytearray()
        self._name = name
        self._complaint = b""
        self._ended = asyncio.Event()
        self._returncode: int | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDOUT_FD:
            self.printed += data
        else:
            self._complaint = (self._complaint + data)[-_TAIL_BYTES:]

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        self._returncode = self._transport.get_returncode()
        self._ended.set()

    @property
    def pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    async def ended(self) -> None:
        """Wait until the process is reaped and its last words are read."""
        await self._ended.wait()

    def check(self) -> None:
        """Raise an `EncoderError` unless the process ended well."""
        if self._returncode != 0:
            raise self.failure()

    def failure(self) -> EncoderError:
        """What to say about a process that ended too early."""
        return EncoderError(f"{self._name} {_ending(self._returncode)}: {self._last_lines()}")

    def _last_lines(self) -> str:
        lines = self._complaint.decode(errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip()]
        return "; ".join(told[-_TAIL_LINES:]) or "it said nothing"


def _ending(returncode: int | None) -> str:
    if returncode is None:
        return "runs no more as it should"
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"


def _kill_group(transport: asyncio.SubprocessTransport) -> None:
    if transport.get_returncode() is None:
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(transport.get_pid(), signal.SIGKILL)
