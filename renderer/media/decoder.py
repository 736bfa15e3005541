"""An ffmpeg that decodes a source from some time on, picture by picture, as they are asked for."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import struct
from contextlib import suppress
from fractions import Fraction
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING, Final

from renderer.errors import MissingToolError

from .facts import SAFE
from .timeline import Picture

if TYPE_CHECKING:
    from pathlib import Path

    from .facts import MediaFacts, Screen

_SHOWN: Final = re.compile(rb"\] n: *\d+ pts: *(-?\d+) ")
_TIME_BASE: Final = re.compile(rb"config in time_base: (\d+/\d+)")
_COMPLAINTS: Final = 4
# BITMAPFILEHEADER and BITMAPV4HEADER; the height is negative: rows run from the top.
_HEADER: Final = struct.Struct("<2sIII IiiHHIIiiII 4I I 48x")
_BIT_FIELDS: Final = 3
_MASKS: Final = (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
_SRGB: Final = 0x73524742


class Decoder:
    """Pictures in the order in which they are shown; it must be closed."""

    def __init__(
        self, process: asyncio.subprocess.Process, facts: MediaFacts, from_s: Fraction
    ) -> None:
        assert facts.screen is not None
        self._process = process
        self._facts = facts
        self._screen = facts.screen
        self._header = bmp_header(facts.screen)
        self._times: asyncio.Queue[Fraction] = asyncio.Queue()
        self._complaints: list[str] = []
        # Its owner is this object, which close() ends; a group would need a block around it all.
        self._listener = asyncio.create_task(self._listen(), name="decoder-times")
        self._ahead: tuple[Fraction, bytes] | None = None
        self._has_begun = False
        self._from_s = from_s
        self.reached_s = from_s
        self.is_at_end = False

    @classmethod
    async def open(cls, ffmpeg: Path, file: Path, facts: MediaFacts, from_s: Fraction) -> Decoder:
        """Decode from the first picture on that begins at `from_s` or later.

        Raises:
            MissingToolError: ffmpeg cannot be started.

        """
        assert facts.screen is not None
        try:
            process = await asyncio.create_subprocess_exec(
                *_arguments(ffmpeg, file, facts, from_s),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
                limit=picture_bytes(facts.screen),
            )
        except OSError as error:
            raise MissingToolError(
                f"{ffmpeg} cannot be started: {error.strerror}; install ffmpeg"
            ) from error
        return cls(process, facts, from_s)

    async def next(self) -> Picture | None:
        """The next picture, which ends where the one after it begins; None at the end."""
        if not self._has_begun:
            self._has_begun = True
            self._ahead = await self._first()
        if self._ahead is None:
            return None
        start_s, pixels = self._ahead
        self._ahead = await self._read()
        stop_s = self._ahead[0] if self._ahead else None
        self.reached_s = start_s if stop_s is None else stop_s
        self.is_at_end = stop_s is None
        if self.is_at_end:
            await asyncio.wait([self._listener])  # what it complains of may come after its pixels
        return Picture(start_s, stop_s, self._header + pixels)

    @property
    def is_damaged(self) -> bool:
        """Whether it has come upon what it could not decode."""
        return bool(self._complaints)

    @property
    def complaint(self) -> str:
        return "; ".join(self._complaints) or "it holds no picture that can be decoded"

    def kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill what runs; nothing is left of it."""
        self.kill()
        self._listener.cancel()
        await asyncio.wait([self._listener])
        # Its pipe may stand still because it is full, and must be empty for the end to be seen.
        await self._process.communicate()

    async def _first(self) -> tuple[Fraction, bytes] | None:
        first = await self._read()
        if first is None or self._from_s > 0:
            return first
        return min(Fraction(0), first[0]), first[1]  # the first of all is shown from the beginning

    async def _read(self) -> tuple[Fraction, bytes] | None:
        assert self._process.stdout is not None
        try:
            pixels = await self._process.stdout.readexactly(picture_bytes(self._screen))
        except asyncio.IncompleteReadError:
            return None
        return await self._times.get(), pixels

    async def _listen(self) -> None:
        """Note each picture's time; a line about it goes ahead of its pixels."""
        assert self._process.stderr is not None
        time_base = self._screen.time_base
        zero_s = self._facts.start_s + self._screen.tolerance_s
        async for line in self._process.stderr:
            if match := _TIME_BASE.search(line):
                time_base = Fraction(match[1].decode())
            elif match := _SHOWN.search(line):
                self._times.put_nowait(int(match[1]) * time_base - zero_s)
            elif b"rror" in line or b"nvalid" in line:
                self._complaints = [*self._complaints, line.decode(errors="replace").strip()]
                self._complaints = self._complaints[-_COMPLAINTS:]


def picture_bytes(screen: Screen) -> int:
    return screen.width_px * screen.height_px * 4


def bmp_header(screen: Screen) -> bytes:
    """What makes a file of BGRA pixels; without an alpha mask they are opaque."""
    masks = _MASKS if screen.is_transparent else (*_MASKS[:3], 0)
    file_bytes = _HEADER.size + picture_bytes(screen)
    file = (b"BM", file_bytes, 0, _HEADER.size)
    size = (_HEADER.size - 14, screen.width_px, -screen.height_px, 1, 32)
    rest = (_BIT_FIELDS, picture_bytes(screen), 0, 0, 0, 0)
    return _HEADER.pack(*file, *size, *rest, *masks, _SRGB)


def _arguments(ffmpeg: Path, file: Path, facts: MediaFacts, from_s: Fraction) -> tuple[str, ...]:
    screen = facts.screen
    assert screen is not None
    seek = ("-ss", f"{float(from_s):.6f}") if from_s > 0 else ()
    decoder = ("-c:v", screen.decoder) if screen.decoder else ()
    scale = (
        f"scale={screen.width_px}:{screen.height_px}:in_color_matrix={screen.matrix}"
        ":flags=bicubic+accurate_rnd+full_chroma_int"
    )
    pixels = "bgra" if screen.is_transparent else "bgr0"
    chain = f"{scale},format={pixels},showinfo=checksum=0"
    return (
        *(str(ffmpeg), "-hide_banner", "-nostats", "-v", "info", "-nostdin"),
        *(*SAFE, "-copyts", *seek, *decoder, "-i", f"file:{file}"),
        *("-map", f"0:{screen.index}", "-vf", chain, "-fps_mode", "passthrough"),
        *("-f", "rawvideo", "pipe:1"),
    )
