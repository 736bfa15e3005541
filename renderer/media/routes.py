"""What the page half asks over HTTP, on a private path of the site."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from aiohttp import web

from .facts import MediaError
from .fetching import CHUNK_BYTES, keep

if TYPE_CHECKING:
    from fractions import Fraction

    from .screening import Screening, Source

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
    "Cache-Control": "no-store",
}


class MediaRoutes:
    """Answers the requests of `takeover/`."""

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer `facts` of a URL or `picture` of a source, take in the `bytes` of one, or decode
        the `samples` of a sound.

        A `MediaError` is the page's to tell, in its own words: another status than 200 would be a
        line of the console besides.
        """
        if request.method == "OPTIONS":  # extra headers make browsers ask whether they may
            return web.Response(headers=_CORS | _allowed(request))
        answers = {
            "facts": self._facts,
            "picture": self._picture,
            "bytes": self._bytes,
            "samples": self._samples,
        }
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
        parts = request.content.iter_chunked(CHUNK_BYTES)
        await keep(parts, self._screening.folder, request.query["url"])
        return await self._facts(request)

    async def _samples(self, request: web.Request) -> web.Response:
        parts = request.content.iter_chunked(CHUNK_BYTES)
        file = await keep(parts, self._screening.folder, f"samples:{uuid4().hex}")
        try:
            samples = await self._screening.samples(file, round(float(request.query["rate"])))
        finally:
            await asyncio.to_thread(file.unlink)
        headers = _CORS | {"X-Channels": str(samples.channels)}
        return web.Response(body=samples.data, headers=headers)

    async def _picture(self, request: web.Request) -> web.Response:
        query = request.query
        picture = await self._screening.picture(
            query["source"], int(query["at"]), loops=query["loops"] == "true"
        )
        times = {"X-Start": _us(picture.start_s), "X-Stop": _us(picture.stop_s)}
        headers = {**_CORS, **times, "Content-Type": "image/bmp"}
        if self._screening.is_damaged(query["source"]):
            headers["X-Damaged"] = "some of its pictures cannot be decoded"
        if query.get("as") != "text":
            return web.Response(body=picture.bmp, headers=headers)
        text = await asyncio.to_thread(base64.b64encode, picture.bmp)
        return web.Response(body=text, headers=headers | {"Content-Type": "text/plain"})


def _allowed(request: web.Request) -> dict[str, str]:
    wanted = request.headers.get("Access-Control-Request-Headers", "")
    return {"Access-Control-Allow-Headers": wanted, "Access-Control-Allow-Methods": "GET, POST"}


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
