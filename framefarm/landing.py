"""A file that lands: it takes its name when all its bytes have come and are the promised ones."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import asynccontextmanager
from io import FileIO
from typing import TYPE_CHECKING, Protocol

from .errors import DownloadDamagedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


class Promised(Protocol):
    """What is known of a file before it comes."""

    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str: ...


class Landing:
    """The bytes that have come so far, in a hidden file beside the one they become."""

    def __init__(self, file: FileIO, output: Path) -> None:
        self._file = file
        self._output = output
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        """Take what has come.

        Raises:
            OSError: it cannot be written; the error names the file that it was to become.

        """
        await asyncio.to_thread(self._write, data)
        self.size_bytes += len(data)

    def check(self, promised: Promised) -> None:
        """Compare what came with what was promised.

        Raises:
            DownloadDamagedError: they differ.

        """
        if self.size_bytes != promised.size_bytes:
            raise DownloadDamagedError(
                f"{self.size_bytes} bytes came, the job promised {promised.size_bytes}; try again"
            )
        if (found := self._sha256.hexdigest()) != promised.sha256:
            raise DownloadDamagedError(
                f"the file's sha256 is {found}, the job promised {promised.sha256}; try again"
            )

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._output)) from error
        self._sha256.update(data)


def plain_name(name: str) -> str:
    """Return a file's name as it was told, if it is no more than that.

    Raises:
        DownloadDamagedError: it would lead elsewhere.

    """
    if name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise DownloadDamagedError(f"the farm tells of a file called {name!r:.80}: that is no name")
    return name


@asynccontextmanager
async def landing(output: Path, promised: Promised) -> AsyncGenerator[Landing]:
    """Receive a file for `output`; when the block raises, nothing has happened there."""
    part = output.with_name(f".framefarm-{secrets.token_hex(8)}.part")
    file = await asyncio.to_thread(FileIO, part, "xb")  # without a buffer that its end would write
    try:
        with file:
            arriving = Landing(file, output)
            yield arriving
            arriving.check(promised)
        await asyncio.to_thread(part.replace, output)
    finally:
        part.unlink(missing_ok=True)
