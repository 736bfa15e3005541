"""One Chromium process: started by Playwright, driven over a second DevTools connection, ended."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from . import processes
from .cdp import CdpConnection, CdpSession, connected
from .containment import contained
from .drawing import Drawing, Screen, pixel_flags
from .errors import BrowserLostError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import Playwright

_QUIET_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-pings",
    "--disable-quic",
    "--mute-audio",
)
LAUNCH_TIMEOUT_S: Final = 30.0
_CLOSE_TIMEOUT_S: Final = 2.0
_POLL_S: Final = 0.005
_ADDRESS: Final = re.compile(r"(?P<port>\d+)\n(?P<path>/\S+)\s*")


@asynccontextmanager
async def open_playwright() -> AsyncGenerator[Playwright]:
    """Run Playwright's driver, which starts browsers, for the length of the block.

    Raises:
        MissingToolError: the driver does not start.

    """
    try:
        playwright = await async_playwright().start()
    except Exception as error:  # it raises plain Exceptions when its driver dies
        raise MissingToolError(
            f"Playwright's driver does not start: {error}; "
            "run `make setup` or `apt-get install libatomic1`"
        ) from error
    try:
        yield playwright
    finally:
        await playwright.stop()


@dataclass(frozen=True, slots=True)
class Browser:
    """A running browser. It draws one frame at a time: hold `frame_lock` for each."""

    connection: CdpConnection
    pid: int
    frame_lock: asyncio.Lock
    drawing: Drawing = Drawing.BEGIN_FRAME

    @property
    def root(self) -> CdpSession:
        return self.connection.root


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """How to start a browser."""

    chromium: Path
    sandbox: bool
    resolver_rules: str = ""
    screen: Screen = field(default_factory=Screen)
    drawing: Drawing = Drawing.BEGIN_FRAME


@asynccontextmanager
async def open_browser(playwright: Playwright, options: LaunchOptions) -> AsyncGenerator[Browser]:
    """Run a browser for the length of the block; no process and no profile outlives it.

    Raises:
        BrowserLostError: Chromium did not start.

    """
    async with _started(playwright, options) as (playwright_browser, main):
        try:
            url = await asyncio.to_thread(_devtools_url, main)
            async with contained(main.pid), connected(url) as connection:
                yield Browser(connection, main.pid, asyncio.Lock(), options.drawing)
        finally:
            await asyncio.to_thread(_end, main)
            with suppress(PlaywrightError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await playwright_browser.close()


@dataclass(frozen=True, slots=True)
class _Main:
    """The browser's main process, and the profile that goes with it."""

    pid: int
    profile: Path


_Started = tuple["PlaywrightBrowser", _Main]


@asynccontextmanager
async def _started(playwright: Playwright, options: LaunchOptions) -> AsyncGenerator[_Started]:
    """Start the browser; when cancelled on the way, end what Playwright starts all the same."""
    starting = asyncio.ensure_future(_start(playwright, options))
    is_handed_over = False
    try:
        started = await asyncio.shield(starting)
        is_handed_over = True
    finally:
        if not is_handed_over:
            await _abandon(starting)
    yield started


async def _start(playwright: Playwright, options: LaunchOptions) -> _Started:
    marker = f"--framefarm-browser={uuid.uuid4().hex}"
    browser = await _launch(playwright, options, marker)
    return browser, await asyncio.to_thread(_find, marker)


async def _abandon(starting: asyncio.Future[_Started]) -> None:
    await asyncio.wait([starting], timeout=LAUNCH_TIMEOUT_S)
    if starting.done() and starting.exception() is None:
        _, main = starting.result()
        await asyncio.to_thread(_end, main)


async def _launch(playwright: Playwright, options: LaunchOptions, marker: str) -> PlaywrightBrowser:
    # Set for the whole browser: an override by page scales the page and not its surface.
    scale = f"--force-device-scale-factor={options.screen.scale:g}"
    flags = (*pixel_flags(options.drawing, options.screen.gamut), *_QUIET_FLAGS)
    rules = [f"--host-resolver-rules={options.resolver_rules}"] if options.resolver_rules else []
    try:
        return await playwright.chromium.launch(
            executable_path=options.chromium,
            args=[*flags, *rules, scale, "--remote-debugging-port=0", marker],
            chromium_sandbox=options.sandbox,
            timeout=LAUNCH_TIMEOUT_S * 1000,
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
    except PlaywrightError as error:
        raise BrowserLostError(f"{options.chromium} did not start: {error.message}") from error


def _find(marker: str) -> _Main:
    """Find the browser by the argument that only it has; its children have it too."""
    for process in processes.descendants_with(marker):
        with suppress(psutil.NoSuchProcess):
            profile = _value(process.cmdline(), "--user-data-dir=")
            if profile and not _value(process.cmdline(), "--type="):
                return _Main(process.pid, Path(profile))
    raise BrowserLostError("Chromium ended as soon as it had started")


def _value(command: list[str], option: str) -> str:
    given = (word.removeprefix(option) for word in command if word.startswith(option))
    return next(given, "")


def _devtools_url(main: _Main) -> str:
    """Read the address that the browser writes into its profile, about when Playwright returns."""
    file = main.profile / "DevToolsActivePort"
    deadline_s = time.monotonic() + LAUNCH_TIMEOUT_S
    while psutil.pid_exists(main.pid) and time.monotonic() < deadline_s:
        with suppress(FileNotFoundError):
            if match := _ADDRESS.fullmatch(file.read_text()):
                return f"ws://127.0.0.1:{match['port']}{match['path']}"
        time.sleep(_POLL_S)
    raise BrowserLostError(f"Chromium (pid {main.pid}) opened no DevTools port")


def _end(main: _Main) -> None:
    """Kill, do not ask: a polite end takes 0.1 s and saves nothing, the profile goes anyway."""
    processes.end_all(main.pid)
    shutil.rmtree(main.profile, ignore_errors=True)
