"""Where Chromium, ffmpeg and ffprobe are on this machine, or how to get them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .drawing import Drawing, drawing_of
from .errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHROMIUM_VARIABLE: Final = "FRAMEFARM_CHROMIUM"
CAPTURE_VARIABLE: Final = "FRAMEFARM_CAPTURE"
BY_PNG: Final = "begin-frame-png"  # BeginFrame, and no look into Chromium's memory

# Debian's commands of these names are scripts around these binaries.
_DEBIAN_SHELL: Final = Path("/usr/lib/chromium/chromium-headless-shell")
_DEBIAN_CHROMIUM: Final = Path("/usr/lib/chromium/chromium")
_SHELL_COMMANDS: Final = ("chromium-headless-shell", "chrome-headless-shell")
_FULL_COMMANDS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_REMEDY: Final = (
    "run `make setup`, or `playwright install --only-shell chromium`, or "
    "`apt-get install chromium-headless-shell`; "
    f"or name an existing one in {CHROMIUM_VARIABLE}"
)
_FFMPEG_REMEDY: Final = "run `make setup` or `apt-get install ffmpeg`"


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs a render needs, and how the browser is used.

    Pixels are read in its memory where that is possible, unless `reads_memory` forbids it.
    `versions` is a file in which is remembered what they say of their version; None: nowhere.
    """

    chromium: Path
    ffmpeg: Path
    ffprobe: Path
    drawing: Drawing = Drawing.BEGIN_FRAME
    reads_memory: bool = True
    versions: Path | None = None


def find_tools(environment: Mapping[str, str]) -> Tools:
    """Find all that a render needs.

    Raises:
        MissingToolError: with what is missing and how to get it.

    """
    ffmpeg, ffprobe = find_ffmpeg(environment)
    chromium = find_chromium(environment)
    return Tools(
        chromium,
        ffmpeg,
        ffprobe,
        find_drawing(environment, chromium),
        reads_memory=environment.get(CAPTURE_VARIABLE) != BY_PNG,
        versions=_cache(environment),
    )


def find_chromium(environment: Mapping[str, str]) -> Path:
    """Find the named one, or a headless shell, or else any: Playwright's, Debian's, on the path.

    Raises:
        MissingToolError: with the remedy.

    """
    if named := environment.get(CHROMIUM_VARIABLE):
        return _named_chromium(named)
    for candidate in chain(_shells(environment), _full_ones(environment)):
        if _is_program(candidate):
            return candidate
    raise MissingToolError(f"no Chromium found; {_CHROMIUM_REMEDY}")


def find_drawing(environment: Mapping[str, str], chromium: Path) -> Drawing:
    """Tell how this Chromium is to draw: as it is asked to be, or as well as it can.

    Raises:
        MissingToolError: it is asked for what it cannot do.

    """
    able, named = drawing_of(chromium), environment.get(CAPTURE_VARIABLE) or "auto"
    ways = ("auto", Drawing.BEGIN_FRAME, BY_PNG, Drawing.SCREENSHOT)
    if named not in ways:
        raise MissingToolError(
            f"{CAPTURE_VARIABLE} is {named!r}, which is no way to film; "
            f"use {', '.join(ways[:-1])} or {ways[-1]}"
        )
    asked = Drawing.BEGIN_FRAME if named == BY_PNG else named
    if asked == Drawing.BEGIN_FRAME and able is not Drawing.BEGIN_FRAME:
        raise MissingToolError(
            f"{CAPTURE_VARIABLE} asks for {named}, and {chromium} is no headless shell; "
            f"{_CHROMIUM_REMEDY}, or unset {CAPTURE_VARIABLE}"
        )
    return able if asked == "auto" else Drawing(asked)


def find_ffmpeg(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Find ffmpeg and ffprobe on the path.

    Raises:
        MissingToolError: with the remedy.

    """
    search_path = environment.get("PATH", os.defpath)
    found = {name: shutil.which(name, path=search_path) for name in ("ffmpeg", "ffprobe")}
    if absent := [name for name, path in found.items() if path is None]:
        raise MissingToolError(f"no {' and no '.join(absent)} on the PATH; {_FFMPEG_REMEDY}")
    return Path(str(found["ffmpeg"])), Path(str(found["ffprobe"]))


def _cache(environment: Mapping[str, str]) -> Path | None:
    """A file in the user's own folder of what can be found out again, if they have one."""
    named, home = environment.get("XDG_CACHE_HOME", ""), environment.get("HOME", "")
    folder = Path(named) if named else Path(home, ".cache") if home else Path()
    return folder / "framefarm" / "versions.json" if folder.is_absolute() else None


def _named_chromium(named: str) -> Path:
    if not _is_program(Path(named)):
        raise MissingToolError(
            f"{CHROMIUM_VARIABLE} names {named!r}, which is not a program; correct or unset it"
        )
    return Path(named)


def _shells(environment: Mapping[str, str]) -> Iterator[Path]:
    yield from _playwrights(environment, "chromium_headless_shell-*/*/*headless*shell")
    yield _DEBIAN_SHELL
    yield from _on_path(environment, _SHELL_COMMANDS)


def _full_ones(environment: Mapping[str, str]) -> Iterator[Path]:
    yield from _playwrights(environment, "chromium-*/*/chrome")
    yield _DEBIAN_CHROMIUM
    yield from _on_path(environment, _FULL_COMMANDS)


def _on_path(environment: Mapping[str, str], commands: tuple[str, ...]) -> Iterator[Path]:
    for command in commands:
        if found := shutil.which(command, path=environment.get("PATH", os.defpath)):
            yield Path(found)


def _playwrights(environment: Mapping[str, str], pattern: str) -> list[Path]:
    """What Playwright has installed, the newest first."""
    home = Path(environment.get("HOME") or "~").expanduser()
    named = environment.get("PLAYWRIGHT_BROWSERS_PATH", "")
    root = Path(named) if named not in ("", "0") else home / ".cache" / "ms-playwright"
    return sorted(root.glob(pattern), key=_revision, reverse=True)


def _revision(program: Path) -> int:
    match = re.search(r"/chromium\w*-(\d+)/", str(program))
    return int(match[1]) if match else 0


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
