"""The fingerprint: all of a machine that decides pixels, in one short word.

Two chunks of a job fit together only if the machines that rendered them have the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import platform
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .capture.choose import strategies
from .drawing import Drawing, drawing_of, pixel_flags
from .errors import MissingToolError
from .gamut import ColorGamut
from .versions import Versions

if TYPE_CHECKING:
    from collections.abc import Collection

    from .tools import Tools

_LENGTH: Final = 16
_CPU_INFO: Final = Path("/proc/cpuinfo")
_NO_FONTS: Final = "none"
_KINDS: Final = {Drawing.BEGIN_FRAME: "", Drawing.SCREENSHOT: ", no headless shell"}

# Skia and SwiftShader choose their code by these; the first that a processor has names its class.
_CPU_CLASSES: Final = (
    ("x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"})),
    ("x86-64-v3", frozenset({"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"})),
    ("x86-64-v2", frozenset({"ssse3", "sse4_1", "sse4_2", "popcnt"})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What decides pixels. `id` is short and goes with every chunk; `str` is for people."""

    chromium: str
    ffmpeg: str
    fonts: str
    flags: tuple[str, ...]
    capture: str
    cpu: str

    @property
    def id(self) -> str:
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:_LENGTH]

    def __str__(self) -> str:
        return (
            f"{self.id}: {self.chromium}, {self.ffmpeg}, fonts {self.fonts}, "
            f"{self.capture}, {self.cpu}"
        )


async def read_fingerprint(tools: Tools) -> Fingerprint:
    """Ask the tools and the machine.

    Raises:
        MissingToolError: Chromium or ffmpeg does not start.

    """
    versions = None if tools.versions is None else Versions(tools.versions)
    chromium = await _version(tools.chromium, "--version", versions)
    ffmpeg = await _version(tools.ffmpeg, "-version", versions)
    return Fingerprint(
        chromium=f"{chromium}{_KINDS[drawing_of(tools.chromium)]}",
        ffmpeg=" ".join(ffmpeg.split()[:3]),
        fonts=await _fonts(),
        flags=tuple(flag for gamut in ColorGamut for flag in pixel_flags(tools.drawing, gamut)),
        capture=strategies(tools.drawing),
        cpu=await asyncio.to_thread(_cpu),
    )


async def _fonts() -> str:
    """Digest what fontconfig offers. Without it Chromium has no fonts but the page's own."""
    try:
        listed = await _output(Path("fc-list"), "--format", "%{family}:%{style}:%{fontversion}\n")
    except MissingToolError:
        return _NO_FONTS
    lines = sorted(listed.splitlines())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_LENGTH]


async def _version(program: Path, argument: str, versions: Versions | None) -> str:
    if versions is None:
        return await _first_line(program, argument)
    said = await asyncio.to_thread(versions.recall, program)
    if said is None:
        said = await _first_line(program, argument)
        await asyncio.to_thread(versions.remember, program, said)
    return said


async def _first_line(program: Path, *arguments: str) -> str:
    lines = (await _output(program, *arguments)).strip().splitlines()
    return lines[0].strip() if lines else program.name


async def _output(program: Path, *arguments: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise MissingToolError(f"{program} does not start: {error}") from error
    try:
        output, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        text = complaint.decode(errors="replace").strip()
        raise MissingToolError(f"{program} fails with status {process.returncode}: {text}")
    return output.decode(errors="replace")


def _cpu() -> str:
    machine = platform.machine()
    if machine != "x86_64" or not _CPU_INFO.exists():
        return machine
    lines = _CPU_INFO.read_text(errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return cpu_class(flags.partition(":")[2].split())


def cpu_class(flags: Collection[str]) -> str:
    """Name the class of an x86 processor with these flags."""
    have = frozenset(flags)
    return next((name for name, needs in _CPU_CLASSES if needs <= have), "x86-64")
