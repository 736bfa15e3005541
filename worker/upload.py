"""Uploader: brings chunk files to where a coordinator says, with a plain HTTP PUT."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp

from executors.errors import TaskRefusedError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

# A result's `artifact` here: the file's key is its coordinator's business.
UPLOADED: Final = "uploaded"
_PAUSES_S: Final = (0.5, 2.0)  # between tries
_CONNECT_S: Final = 5.0
# Whoever is slower has it sent over the connection to the coordinator, which is there anyway.
_SLOWEST_BYTES_PER_S: Final = 256 << 10
_AT_LEAST_S: Final = 30.0
# A store that could not be reached is not tried again for every chunk.
_REST_S: Final = 60.0


class Uploader:
    """Brings files to a store. What it does not take goes another way: nothing here fails."""

    def __init__(self) -> None:
        self._rests_until_s = 0.0

    async def bring(self, path: Path, url: str) -> bool:
        """Bring a file to a URL, and tell whether it is there.

        Raises:
            TaskRefusedError: the URL is none.

        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise TaskRefusedError(f"upload_url: {url[:80]!r} is no http:// or https:// URL")
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until_s:
            return False
        problem = ""
        for pause_s in (*_PAUSES_S, None):
            problem = await _put(path, url)
            if not problem:
                return True
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        self._rests_until_s = loop.time() + _REST_S
        where = urlsplit(url).netloc
        log.warning("chunk not uploaded: it is sent", extra={"store": where, "why": problem})
        return False


async def _put(path: Path, url: str) -> str:
    """Put a file, and say what was wrong with that; "" is nothing."""
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    total_s = _AT_LEAST_S + size_bytes / _SLOWEST_BYTES_PER_S
    limits = aiohttp.ClientTimeout(total=total_s, sock_connect=_CONNECT_S)
    try:
        with await asyncio.to_thread(path.open, "rb") as file:
            async with (
                aiohttp.ClientSession(timeout=limits) as session,
                session.put(url, data=file) as answer,
            ):
                return "" if answer.ok else f"HTTP {answer.status} {answer.reason}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return repr(error)
