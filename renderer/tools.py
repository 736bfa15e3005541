"""Where Chromium's headless shell, ffmpeg and ffprobe are on this machine, or how to get them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .drawing import Drawing
from .errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHROMIUM_VARIABLE: Final = "FRAMEFARM_CHROMIUM"

# Debian's command of that name is a script around this binary.
_DEBIAN_SHELL: Final = Path("/usr/lib/chromium/chromium-headless-shell")
_SHELL_COMMANDS: Final = ("chromium-headless-shell", "chrome-headless-shell")
_FULL_COMMANDS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_REMEDY: Final = (
    "run `make setup`, or `playwright install --only-shell chromium`, or "
    "`apt-get install chromium-headless-shell`; "
    f"or name an existing headless shell in {CHROMIUM_VARIABLE}"
)
_FFMPEG_REMEDY: Final = "run `make setup` or `apt-get install ffmpeg`"


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs a render needs."""

    chromium: Path
    ffmpeg: Path
    ffprobe: Path
    drawing: Drawing = Drawing.BEGIN_FRAME


def find_tools(environment: Mapping[str, str]) -> Tools:
    """Find all that a render needs.

    Raises:
        MissingToolError: with what is missing and how to get it.

    """
    ffmpeg, ffprobe = find_ffmpeg(environment)
    return Tools(find_chromium(environment), ffmpeg, ffprobe)


def find_chromium(environment: Mapping[str, str]) -> Path:
    """Find a headless shell: the named one, Playwright's own, Debian's, or one on the path.

    Raises:
        MissingToolError: with the remedy.

    """
    if named := environment.get(CHROMIUM_VARIABLE):
        return _named_chromium(named)
    for candidate in _shells(environment):
        if _is_program(candidate):
            return candidate
    raise MissingToolError(_no_shell_problem(environment))


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


def _named_chromium(named: str) -> Path:
    if not _is_program(Path(named)):
        raise MissingToolError(
            f"{CHROMIUM_VARIABLE} names {named!r}, which is not a program; correct or unset it"
        )
    return Path(named)


def _shells(environment: Mapping[str, str]) -> Iterator[Path]:
    yield from _playwright_shells(environment)
    yield _DEBIAN_SHELL
    for command in _SHELL_COMMANDS:
        if found := shutil.which(command, path=environment.get("PATH", os.defpath)):
            yield Path(found)


def _playwright_shells(environment: Mapping[str, str]) -> list[Path]:
    """Playwright's installed shells, the newest first."""
    home = Path(environment.get("HOME") or "~").expanduser()
    named = environment.get("PLAYWRIGHT_BROWSERS_PATH", "")
    root = Path(named) if named not in ("", "0") else home / ".cache" / "ms-playwright"
    shells = root.glob("chromium_headless_shell-*/*/*headless*shell")
    return sorted(shells, key=_revision, reverse=True)


def _revision(shell: Path) -> int:
    match = re.search(r"chromium_headless_shell-(\d+)", str(shell))
    return int(match[1]) if match else 0


def _no_shell_problem(environment: Mapping[str, str]) -> str:
    search_path = environment.get("PATH", os.defpath)
    for command in _FULL_COMMANDS:
        if found := shutil.which(command, path=search_path):
            return (
                f"{found} is a full Chromium, which cannot draw frame by frame: framefarm needs "
                f"the headless shell; {_CHROMIUM_REMEDY}"
            )
    return f"no Chromium headless shell found; {_CHROMIUM_REMEDY}"


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
