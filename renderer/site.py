"""Bundles as web sites: a loopback server with a host name for each bundle.

The name is the same on every machine, so the page's origin is too, and `.localhost` makes it a
secure context. Chromium reaches it by `resolver_rules`.
"""

from __future__ import annotations

import asyncio
import mimetypes
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web

from .errors import BundleMissingError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
    from pathlib import Path

    from .bundle import BundleStore
    from .composition import BundleEntry

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

DOMAIN: Final = "composition.localhost"
# Below it are no files of a bundle (hidden ones stay out), but what we ask of ourselves.
PRIVATE: Final = "/.framefarm"
_LOOPBACK: Final = "127.0.0.1"
_LABEL_LENGTH: Final = 32  # a DNS label holds 63 characters, a digest has 64
_SHUTDOWN_TIMEOUT_S: Final = 0.2
_INDEX: Final = "index.html"

# What Python's table lacks, or takes from the machine it runs on.
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".wasm": "application/wasm",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
_UNKNOWN_TYPE: Final = "application/octet-stream"


@asynccontextmanager
async def open_site(bundles: BundleStore) -> AsyncGenerator[Site]:
    """Serve bundles on a free loopback port for the length of the block."""
    site = Site(bundles)
    application = web.Application()
    application.on_response_prepare.append(_tell_nothing_of_here)
    application.router.add_route("*", PRIVATE + "/{token}/{call}", site.answer_privately)
    application.router.add_get("/{path:.*}", site.answer)  # HEAD comes with it
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, _LOOPBACK, 0).start()
        site.port = runner.addresses[0][1]
        yield site
    finally:
        await runner.cleanup()


async def _tell_nothing_of_here(_: web.Request, response: web.StreamResponse) -> None:
    """A page on one worker must not find other answers than on another."""
    for header in ("Date", "ETag", "Last-Modified", "Server"):
        response.headers.pop(header, None)


class Site:
    """The host names of the bundles that were asked for, and the files behind them."""

    def __init__(self, bundles: BundleStore) -> None:
        self._bundles = bundles
        self._files: dict[str, Mapping[str, Path]] = {}
        self._private: dict[str, Answer] = {}
        self.port = 0

    @property
    def resolver_rules(self) -> str:
        """Chromium's `--host-resolver-rules` that lead here."""
        return f"MAP *.{DOMAIN} {_LOOPBACK}:{self.port}"

    async def url(self, page: BundleEntry) -> str:
        """Return the page's address, and serve its bundle from now on.

        Raises:
            BundleMissingError: the store has no such bundle.

        """
        host = f"{page.digest[:_LABEL_LENGTH]}.{DOMAIN}"
        if host not in self._files:
            try:
                self._files[host] = await asyncio.to_thread(self._bundles.files, page.digest)
            except KeyError as error:
                raise BundleMissingError(page.digest) from error
        return f"http://{host}/{quote(page.entry)}"

    def bundle_file(self, url: str) -> Path | None:
        """Return the file behind an address in a bundle; None if it is another's address.

        Raises:
            KeyError: the bundle has no such file.

        """
        parts = urlsplit(url)
        if not (parts.hostname or "").endswith(f".{DOMAIN}"):
            return None
        files = self._files[parts.hostname or ""]
        path = file_path(files, unquote(parts.path).removeprefix("/"))
        if path is None:
            raise KeyError(url)
        return files[path]

    @contextmanager
    def also_serving(self, token: str, answer: Answer) -> Generator[None]:
        """Let `answer` have the private requests with `token`, on every host name."""
        self._private[token] = answer
        try:
            yield
        finally:
            del self._private[token]

    async def answer_privately(self, request: web.Request) -> web.StreamResponse:
        answer = self._private.get(request.match_info["token"])
        if answer is None:
            raise web.HTTPNotFound
        return await answer(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        files = self._files.get(request.host.partition(":")[0])
        path = file_path(files or {}, request.match_info["path"])
        if files is None or path is None:
            raise web.HTTPNotFound(text=f"{request.path} is not in the bundle\n")
        headers = {"Content-Type": content_type(path), "Cache-Control": "no-store"}
        return web.FileResponse(files[path], headers=headers)


def file_path(files: Mapping[str, Path], path: str) -> str | None:
    """Name the file of a bundle that answers for a URL's path, if one does."""
    folder = path.rstrip("/")
    index = f"{folder}/{_INDEX}" if folder else _INDEX
    return next((name for name in (path, index) if name in files), None)


def content_type(path: str) -> str:
    suffix = f".{path.rpartition('.')[2].lower()}" if "." in path else ""
    return _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or _UNKNOWN_TYPE
