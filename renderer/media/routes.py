"""What the page half asks over HTTP, on a private path of the site, and where sources come from."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import web

from .facts import MediaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from fractions import Fraction
    from pathlib import Path

    from .screening import Screening, Source

MAX_SOURCE_BYTES: Final = 4 << 30
_FETCH_TIMEOUT_S: Final = 25.0  # below that of a frame: a source that does not come is no hang
_CHUNK_BYTES: Final = 1 << 20
_BAD_STATUS: Final = 400
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Cache-Control": "no-store",
}


class Fetcher:
    """Brings sources here: a bundle's files stand here already, others are downloaded."""

    def __init__(self, bundle_file: Callable[[str], Path | None]) -> None:
        self._bundle_file = bundle_file

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
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url) as reply,
            ):
                if reply.status >= _BAD_STATUS:
                    raise MediaError(f"the server answers with status {reply.status}")
                return await keep(reply.content.iter_chunked(_CHUNK_BYTES), folder, url)
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


class MediaRoutes:
    """Answers the requests of `takeover.js`."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer `facts` of a URL, `picture` of a source, or take in the bytes of one (`bytes`).

        A `MediaError` is the page's to tell, in its own words: another status than 200 would be a
        line of the console besides.
        """
        answers = {"facts": self._facts, "picture": self._picture, "bytes": self._bytes}
        answer = answers.get(request.match_info["call"])
        if answer is None:
            raise web.HTTPNotFound
        try:
            return await answer(request)
        except MediaError as error:
            return web.Response(text=str(error), headers=_CORS | {"X-Problem": "media"})

    async def _facts(self, request: web.Request) -> web.Response:
        source = await self._screening.source(request.query["url"])
        return web.json_response(_told(source), headers=_CORS)

    async def _bytes(self, request: web.Request) -> web.Response:
        parts = request.content.iter_chunked(_CHUNK_BYTES)
        await keep(parts, self._screening.folder, request.query["url"])
        return await self._facts(request)

    async def _picture(self, request: web.Request) -> web.Response:
        query = request.query
        picture = await self._screening.picture(
            query["source"], int(query["at"]), loops=query["loops"] == "true"
        )
        times = {"X-Start": _us(picture.start_s), "X-Stop": _us(picture.stop_s)}
        headers = {**_CORS, **times, "Content-Type": "image/bmp"}
        if query.get("as") != "text":
            return web.Response(body=picture.bmp, headers=headers)
        text = await asyncio.to_thread(base64.b64encode, picture.bmp)
        return web.Response(body=text, headers=headers | {"Content-Type": "text/plain"})


def _us(time_s: Fraction | None) -> str:
    return "" if time_s is None else str(round(time_s * 1_000_000))


def _told(source: Source) -> dict[str, object]:
    facts, screen = source.facts, source.facts.screen
    return {
        "source": source.id,
        "duration": float(facts.duration_s),
        "hasSound": facts.has_sound,
        "hasPictures": screen is not None,
        "width": screen.width_px if screen else 0,
        "tolerance": float(screen.tolerance_s) if screen else 0,
        "height": screen.height_px if screen else 0,
    }
