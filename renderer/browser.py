"""One Chromium process: started, driven over a pipe that only it and we have, ended."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from . import processes
from .cdp import CdpConnection, CdpSession, connected
from .containment import contained
from .drawing import Drawing, Screen, pixel_flags
from .errors import BrowserLostError, FrameStalledError
from .profile import make_profile, remove_profile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from .profile import Profile

# A page in no window of a screen, and not the one in front, gets the time it wants; one that came
# back is loaded anew; a window may open another; the mouse that there is not can point and hover.
_PAGE_FLAGS: Final = (
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--allow-pre-commit-input",
    (
        "--blink-settings=primaryHoverType=2,availableHoverTypes=2,"
        "primaryPointerType=4,availablePointerTypes=4"
    ),
    # The last word on features counts: where screenshots are taken, drawing.py has it.
    (
        "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
        "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,MediaRouter,PaintHolding,"
        "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,"
        "NetworkTimeServiceQuerying,PreconnectToSearch,LensOverlay,AimEnabled"
    ),
    "--enable-features=CDPScreenshotNewSurface",
)
# A browser that does nothing of its own accord, and is the same one every day.
_QUIET_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-infobars",
    "--disable-pings",
    "--disable-quic",
    "--disable-search-engine-choice-screen",
    "--disable-stack-profiler",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
)
_PROCESS_FLAGS: Final = (
    "--headless",
    "--no-startup-window",
    "--disable-dev-shm-usage",  # which is small in containers
    "--remote-debugging-pipe",
)
# Chromium hears on its descriptor 3 and answers on 4: one socket, which arrives as descriptor 0.
_GIVE_PIPE: Final = 'exec "$@" 3<&0 4>&0 </dev/null'
LAUNCH_TIMEOUT_S: Final = 30.0
_LAST_WORDS: Final = 4096


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
async def open_browser(options: LaunchOptions) -> AsyncGenerator[Browser]:
    """Run a browser for the length of the block; no process and no profile outlives it.

    When this process is killed, the browser sees the end of its pipe, and ends by itself.

    Raises:
        BrowserLostError: Chromium did not start.

    """
    async with (
        _running(options) as (process, ours),
        _heard(process) as words,
        contained(process.pid),
        connected(ours) as connection,
    ):
        try:
            await connection.root.call("Browser.getVersion", timeout_s=LAUNCH_TIMEOUT_S)
        except (BrowserLostError, FrameStalledError) as error:
            why = words.last() or error
            raise BrowserLostError(f"{options.chromium} did not start: {why}") from error
        yield Browser(connection, process.pid, asyncio.Lock(), options.drawing)


_Running = tuple["subprocess.Popen[bytes]", socket.socket]


@asynccontextmanager
async def _running(options: LaunchOptions) -> AsyncGenerator[_Running]:
    """Run the process, and yield it with our end of its pipe, which is closed with it."""
    ours, theirs = socket.socketpair()
    profile = make_profile()
    try:
        with theirs:
            process = _start(_command(options, profile), theirs)
        try:
            yield process, ours
        finally:
            await asyncio.to_thread(_end, process)
    finally:
        ours.close()
        await asyncio.to_thread(remove_profile, profile)


def _start(command: list[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _GIVE_PIPE, "sh", *command],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us alone
    )


def _command(options: LaunchOptions, profile: Profile) -> list[str]:
    rules = [f"--host-resolver-rules={options.resolver_rules}"] if options.resolver_rules else []
    return [
        str(options.chromium),
        *_PROCESS_FLAGS,
        *_PAGE_FLAGS,
        *_QUIET_FLAGS,
        *([] if options.sandbox else ["--no-sandbox"]),
        *pixel_flags(options.drawing, options.screen.gamut),
        *rules,
        # Set for the whole browser: an override by page scales the page and not its surface.
        f"--force-device-scale-factor={options.screen.scale:g}",
        f"--user-data-dir={profile.folder}",
        f"--framefarm-browser={uuid.uuid4().hex}",  # tells ours from others, for people
    ]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill, do not ask: a polite end takes 0.1 s and saves nothing, the profile goes anyway."""
    processes.end_all(process.pid)
    with suppress(subprocess.TimeoutExpired):
        process.wait(processes.GONE_TIMEOUT_S)


@asynccontextmanager
async def _heard(process: subprocess.Popen[bytes]) -> AsyncGenerator[_Words]:
    """Read what the browser says on standard error: whoever does not listen stops it."""
    assert process.stderr is not None
    loop = asyncio.get_running_loop()
    transport, words = await loop.connect_read_pipe(_Words, process.stderr)
    try:
        yield words
    finally:
        transport.close()


class _Words(asyncio.Protocol):
    """The last that somebody said."""

    def __init__(self) -> None:
        self._said = b""

    def data_received(self, data: bytes) -> None:
        self._said = (self._said + data)[-_LAST_WORDS:]

    def last(self) -> str:
        return self._said.decode(errors="replace").strip()
