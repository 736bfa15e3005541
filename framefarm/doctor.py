"""What a render needs from this machine: what is there, what is not, and how to get it.

`python -m framefarm.doctor [NAME…]` exits 1 when one of these is missing; `make setup` asks so.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from renderer.drawing import Drawing
from renderer.encode.codecs import CODECS
from renderer.errors import MissingToolError
from renderer.sandbox import Sandbox, sandbox_is_on
from renderer.tools import find_chromium, find_drawing, find_ffmpeg
from worker.cgroup import limits

from .programs import ask, encoders, ffmpeg_version, is_too_old

OLDEST_PYTHON: Final = (3, 11)
ENCODERS: Final = frozenset({"aac", "libx264"})
FONT_SUFFIXES: Final = frozenset({".otf", ".pfb", ".ttc", ".ttf"})
# Chromium crashes on large pages in a container's usual 64 MiB of shared memory.
SHARED_MEMORY_BYTES: Final = 512 << 20
# A worker with one slot: Python, a browser, an encoder at 1080p.
WORKER_MEMORY_BYTES: Final = 1 << 30


class Verdict(StrEnum):
    """OK, a limit one should know of, or something without which nothing renders."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one need; `remedy` says what to do unless all is well."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':12}→ {self.remedy}" if self.remedy else ""
        return f"{self.verdict:8}{self.name:12}{self.found}{remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the facts of this machine are read."""

    environment: Mapping[str, str]
    shared_memory: Path = Path("/dev/shm")  # noqa: S108 - its size is read, nothing is written
    cgroup: Path = Path("/sys/fs/cgroup")
    system_fonts: tuple[Path, ...] = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))

    @property
    def fonts(self) -> tuple[Path, ...]:
        home = Path(self.environment.get("HOME") or "~").expanduser()
        return (*self.system_fonts, home / ".fonts", home / ".local" / "share" / "fonts")


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at everything that a render needs. Starts Chromium and ffmpeg; takes a second or two."""
    return examine_machine(Machine(environment=environment))


def examine_machine(machine: Machine, names: tuple[str, ...] = ()) -> list[Finding]:
    """Look at the needs that are named, or at all."""
    return [Finding(name, *CHECKS[name](machine)) for name in names or tuple(CHECKS)]


class Told(NamedTuple):
    """A finding that has no name yet."""

    verdict: Verdict
    found: str
    remedy: str = ""


def check_python(_: Machine) -> Told:
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Told(Verdict.OK, found)
    return Told(Verdict.MISSING, found, "install Python 3.11 or newer, then run `make setup`")


def check_playwright(machine: Machine) -> Told:
    if not _driver_folder().is_dir():  # the images leave it out
        return Told(Verdict.OK, "without its driver, which only installs browsers")
    outcome = ask(machine.environment, Path(sys.executable), "-m", "playwright", "--version")
    if outcome.text.startswith("Version"):
        return Told(Verdict.OK, outcome.text.strip())
    return Told(
        Verdict.MISSING,
        f"Playwright's driver does not start: {outcome.last_line}",
        "run `make setup` or `apt-get install libatomic1`",
    )


def _driver_folder() -> Path:
    package = find_spec("playwright")
    assert package is not None, "it is one of our dependencies"
    assert package.origin is not None
    return Path(package.origin).parent / "driver"


def check_chromium(machine: Machine) -> Told:
    try:
        chromium = find_chromium(machine.environment)
        drawing = find_drawing(machine.environment, chromium)
    except MissingToolError as error:
        return Told(Verdict.MISSING, *_split(error))
    with tempfile.TemporaryDirectory(prefix="framefarm-doctor-") as profile:
        outcome = ask(machine.environment, chromium, *_page_flags(profile), "about:blank")
    if "</html>" not in outcome.text:
        return Told(
            Verdict.MISSING,
            f"{chromium} is there but draws no page: {outcome.last_line}",
            "run `playwright install-deps chromium`, which installs the libraries it needs",
        )
    version = ask(machine.environment, chromium, "--version").text.strip()
    if drawing is Drawing.BEGIN_FRAME:
        return Told(Verdict.OK, f"{version} at {chromium}")
    return Told(
        Verdict.WARNING,
        f"{version} at {chromium} films by screenshots: slowly, and animated pictures not exactly",
        "run `make setup` or `apt-get install chromium-headless-shell`",
    )


def check_ffmpeg(machine: Machine) -> Told:
    try:
        ffmpeg, ffprobe = find_ffmpeg(machine.environment)
    except MissingToolError as error:
        return Told(Verdict.MISSING, *_split(error))
    version = ffmpeg_version(ask(machine.environment, ffmpeg, "-version").text)
    offered = encoders(ask(machine.environment, ffmpeg, "-hide_banner", "-encoders").text)
    lacking = ENCODERS - offered
    found = f"{version or 'unknown version'} at {ffmpeg}"
    if ffmpeg_version(ask(machine.environment, ffprobe, "-version").text) is None:
        return Told(Verdict.MISSING, f"{ffprobe} does not start", "install ffmpeg anew")
    if is_too_old(version):
        return Told(Verdict.MISSING, found, "install ffmpeg 5.1 or newer")
    if lacking:
        names = " and ".join(sorted(lacking))
        return Told(Verdict.MISSING, f"{found}, without {names}", f"install an ffmpeg with {names}")
    if unheld := [codec for codec, facts in CODECS.items() if facts.encoder not in offered]:
        names = ", ".join(unheld)
        return Told(
            Verdict.WARNING, f"{found}, without {names}", "install Debian's ffmpeg for these"
        )
    return Told(Verdict.OK, found)


def check_fonts(machine: Machine) -> Told:
    files = [
        path
        for folder in machine.fonts
        for path in folder.rglob("*")
        if path.suffix.lower() in FONT_SUFFIXES
    ]
    if files:
        return Told(Verdict.OK, f"{len(files)} font files")
    return Told(
        Verdict.MISSING,
        "no font files: pages would have no text",
        "run `make setup` or `apt-get install fontconfig fonts-dejavu-core fonts-liberation`",
    )


def check_sandbox(_: Machine) -> Told:
    if asyncio.run(sandbox_is_on(Sandbox.AUTO)):
        return Told(Verdict.OK, "Chromium's sandbox works")
    why = "root runs this" if os.getuid() == 0 else "user namespaces are not allowed here"
    return Told(
        Verdict.WARNING,
        f"Chromium's sandbox is off, because {why}: render only pages that you trust",
        "run as an ordinary user, on a kernel and in a container that allow user namespaces",
    )


def check_shared_memory(machine: Machine) -> Told:
    if not machine.shared_memory.is_dir():
        return Told(Verdict.WARNING, f"no {machine.shared_memory}", "mount a tmpfs there")
    size = shutil.disk_usage(machine.shared_memory).total
    found = f"{_mebibytes(size)} at {machine.shared_memory}"
    if size >= SHARED_MEMORY_BYTES:
        return Told(Verdict.OK, found)
    return Told(
        Verdict.WARNING,
        f"{found}: large pages may crash the browser",
        "give the container more (`docker run --shm-size 1g`, an emptyDir in Kubernetes)",
    )


def check_limits(machine: Machine) -> Told:
    found = limits(machine.cgroup)
    text = f"{found.cpus:g} CPUs and {_mebibytes(found.memory_bytes)} of memory"
    if found.memory_bytes >= WORKER_MEMORY_BYTES:
        return Told(Verdict.OK, text)
    return Told(
        Verdict.WARNING, text, f"give a worker {_mebibytes(WORKER_MEMORY_BYTES)} for each slot"
    )


CHECKS: Final[Mapping[str, Callable[[Machine], Told]]] = {
    "python": check_python,
    "playwright": check_playwright,
    "chromium": check_chromium,
    "ffmpeg": check_ffmpeg,
    "fonts": check_fonts,
    "sandbox": check_sandbox,
    "/dev/shm": check_shared_memory,  # noqa: S108 - a name
    "limits": check_limits,
}


def _page_flags(profile: str) -> tuple[str, ...]:
    return (
        "--no-sandbox",  # whether the sandbox works is another finding; this page is blank
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={profile}",
        "--dump-dom",
    )


def _split(error: MissingToolError) -> tuple[str, str]:
    problem, _, remedy = str(error).partition("; ")
    return problem, remedy


def _mebibytes(size: int) -> str:
    return f"{size >> 20} MiB"


def main(names: list[str]) -> int:
    """Print the findings; 1 when something is missing."""
    if unknown := set(names) - CHECKS.keys():
        sys.stderr.write(f"no such need: {sorted(unknown)}; there are {sorted(CHECKS)}\n")
        return 2
    findings = examine_machine(Machine(environment=os.environ), tuple(names))
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return int(any(finding.verdict is Verdict.MISSING for finding in findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
