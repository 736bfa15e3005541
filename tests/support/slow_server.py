"""A loopback server whose every answer takes its time: pictures, fonts, styles, scripts, pages."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from aiohttp import web

WHITE_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='480' height='270'>"
    "<rect width='480' height='270' fill='#fff'/></svg>"
)
_TYPES = {
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".js": "text/javascript",
    ".html": "text/html",
    ".ttf": "font/ttf",
}


@cache
def a_font() -> bytes:
    """DejaVu Sans, which every machine that renders has."""
    found = subprocess.check_output(["fc-match", "-f", "%{file}", "DejaVu Sans"], text=True)
    return Path(found).read_bytes()


@asynccontextmanager
async def slow_server(
    delay_s: float, files: dict[str, str | bytes] | None = None
) -> AsyncGenerator[str]:
    """Serve `files`; every other .svg is white, every other .ttf a font, and the rest is 404."""
    given = files or {}

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(delay_s)
        suffix = Path(request.path).suffix
        defaults = {".svg": WHITE_SVG, ".ttf": a_font() if suffix == ".ttf" else b""}
        body = given.get(request.path.removeprefix("/"), defaults.get(suffix))
        if body is None:
            raise web.HTTPNotFound
        return web.Response(
            body=body.encode() if isinstance(body, str) else body,
            headers={
                "Content-Type": _TYPES.get(suffix, "application/octet-stream"),
                "Access-Control-Allow-Origin": "*",
            },
        )

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
