"""Where sources of media come from: a bundle, or the network, as the page would ask for them."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from .facts import MediaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from pathlib import Path

    from renderer.cookies import Cookie
    from renderer.settings import RenderSettings

MAX_SOURCE_BYTES: Final = 4 << 30
CHUNK_BYTES: Final = 1 << 20
_FETCH_TIMEOUT_S: Final = 25.0  # below that of a frame: a source that does not come is no hang
_BAD_STATUS: Final = 400


@dataclass(frozen=True, slots=True)
class Visitor:
    """For which page sources are fetched: with the headers and cookies that its job gives it."""

    url: str
    settings: RenderSettings

    def session(self, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        headers = dict(self.settings.headers)
        if self.settings.user_agent:
            headers = {"User-Agent": self.settings.user_agent} | headers
        # Hosts without a name may have some, too; and values are sent as they are, as by Chromium.
        jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        for cookie in self.settings.cookies:
            jar.update_cookies(_morsel(cookie), URL(_origin(cookie, self.url)))
        return aiohttp.ClientSession(timeout=timeout, headers=headers, cookie_jar=jar)


class Fetcher:
    """Brings sources here: a bundle's files stand here already, others are downloaded."""

    def __init__(self, bundle_file: Callable[[str], Path | None], visitor: Visitor) -> None:
        self._bundle_file = bundle_file
        self._visitor = visitor

    async def __call__(self, url: str, folder: Path) -> Path:
        """Return the file with what is at `url`.

        Raises:
            MediaError: it is not there, or does not come.

        """
        try:
            if file := self._bundle_file(url):
                return file
        except KeyError as error:
            raise MediaError("it is not in the bundle") from error
        if await asyncio.to_thread(_stored(folder, url).exists):
            return _stored(folder, url)
        if not url.startswith(("http:", "https:")):
            raise MediaError("only http and https can be fetched")
        timeout = aiohttp.ClientTimeout(total=_FETCH_TIMEOUT_S)
        try:
            async with (
                self._visitor.session(timeout) as session,
                session.get(url) as reply,
            ):
                if reply.status >= _BAD_STATUS:
                    raise MediaError(f"the server answers with status {reply.status}")
                return await keep(reply.content.iter_chunked(CHUNK_BYTES), folder, url)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MediaError(f"it cannot be fetched: {error or type(error).__name__}") from error


async def keep(parts: AsyncIterable[bytes], folder: Path, name: str) -> Path:
    """Write what comes into a file of the folder.

    Raises:
        MediaError: it is too much.

    """
    path = _stored(folder, name)
    size = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for part in parts:
            size += len(part)
            if size > MAX_SOURCE_BYTES:
                raise MediaError(f"it has more than {MAX_SOURCE_BYTES >> 30} GiB")
            await asyncio.to_thread(file.write, part)
    return path


def _stored(folder: Path, name: str) -> Path:
    return folder / hashlib.sha256(name.encode()).hexdigest()


def _morsel(cookie: Cookie) -> SimpleCookie:
    kept = SimpleCookie()
    kept[cookie.name] = cookie.value
    morsel = kept[cookie.name]
    morsel["path"] = cookie.path
    morsel["secure"] = cookie.secure
    if cookie.domain:
        morsel["domain"] = cookie.domain.lstrip(".")
    return kept


def _origin(cookie: Cookie, url: str) -> str:
    return f"https://{cookie.domain.lstrip('.')}/" if cookie.domain else url
