"""The preview's HTTP server: a page that plays a job's film, its playlists and segments."""

from __future__ import annotations

import asyncio
import shutil
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from serving.listening import ListenError, host_and_port

from .playlist import HEAD, SOUND, SOUND_HEAD, VIDEO
from .previews import Previews

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .previews import Preview

FILM: Final = "film.m3u8"
_HERE: Final = Path(__file__).parent
_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # asked for, not chosen
_SHUTDOWN_TIMEOUT_S: Final = 0.5
_RETRY_S: Final = 1


@asynccontextmanager
async def open_previews(
    listen: str, folder: Path, *, ffmpeg: Path, ffprobe: Path
) -> AsyncGenerator[Previews]:
    """Serve previews at HOST:PORT for the length of the block; their files are in `folder`.

    Raises:
        ListenError: the address cannot be used.

    """
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)  # of an earlier process
    previews = Previews(folder, ffmpeg=ffmpeg, ffprobe=ffprobe)
    runner = web.AppRunner(
        _application(previews), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S
    )
    await runner.setup()
    try:
        host, port = host_and_port(listen)
        try:
            await web.TCPSite(runner, host.strip("[]"), port).start()
        except OSError as error:
            raise ListenError(f"the preview cannot listen on {listen}: {error}") from error
        name = socket.gethostname() if host.strip("[]") in _EVERYWHERE else host
        previews.address = f"{name}:{runner.addresses[0][1]}"
        yield previews
    finally:
        await runner.cleanup()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _application(previews: Previews) -> web.Application:
    answers = _Answers(previews)
    application = web.Application()
    application.on_response_prepare.append(_guard)
    application.router.add_get("/jobs/{job}/", answers.page)
    application.router.add_get("/jobs/{job}/player.js", answers.player)
    application.router.add_get(f"/jobs/{{job}}/{FILM}", answers.film)
    application.router.add_get(f"/jobs/{{job}}/{VIDEO}", answers.video)
    application.router.add_get(f"/jobs/{{job}}/{SOUND}", answers.sound)
    files = f"{HEAD}|{SOUND_HEAD}|(?:sound-)?[0-9]+[.]m4s"
    application.router.add_get(f"/jobs/{{job}}/{{file:{files}}}", answers.segment)
    return application


async def _guard(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; media-src 'self' blob:; "
        "style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"


class _Answers:
    def __init__(self, previews: Previews) -> None:
        self._previews = previews

    async def page(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_HERE / "player.html", headers={"Cache-Control": "no-cache"})

    async def player(self, _: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": "no-cache", "Content-Type": "text/javascript; charset=utf-8"}
        return web.FileResponse(_HERE / "player.js", headers=headers)

    async def film(self, request: web.Request) -> web.StreamResponse:
        return _playlist(self._begun(request).film())

    async def video(self, request: web.Request) -> web.StreamResponse:
        return _playlist(self._begun(request).video())

    async def sound(self, request: web.Request) -> web.StreamResponse:
        if not (text := self._begun(request).sound()):
            raise web.HTTPNotFound(text="nothing is heard in this film\n")
        return _playlist(text)

    async def segment(self, request: web.Request) -> web.StreamResponse:
        path = self._begun(request).folder / request.match_info["file"]
        if not await asyncio.to_thread(path.is_file):
            raise web.HTTPNotFound(text="this part of the film is not finished\n")
        return web.FileResponse(path, headers={"Content-Type": "video/mp4"})

    def _begun(self, request: web.Request) -> Preview:
        preview = self._previews.find(request.match_info["job"])
        if preview is None:
            raise web.HTTPNotFound(
                text="no film of this job is rendered here: it waits, is long over, or has none\n"
            )
        if not preview.is_begun:
            retry = {"Retry-After": str(_RETRY_S)}
            raise web.HTTPServiceUnavailable(text="its first chunk is on its way\n", headers=retry)
        return preview


def _playlist(text: str) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(text=text, content_type=_PLAYLIST_TYPE, headers=headers)
