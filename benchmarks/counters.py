"""Reads the frame numbers back from a video: every frame is decoded, and every square looked at."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .pages import BITS, Page

_SQUARE_PX: Final = 24
_ROWS: Final = 2
_WIDTH_PX: Final = 2 * BITS * _SQUARE_PX
_HEIGHT_PX: Final = _ROWS * _SQUARE_PX
_DARK, _BRIGHT = 96, 160


@dataclass(frozen=True, slots=True)
class Numbers:
    """What each decoded frame says of itself: by the script's row, and by the style's.

    None is a row that cannot be read.
    """

    by_script: tuple[int | None, ...]
    by_style: tuple[int | None, ...]

    def verdict(self, page: Page) -> str:
        """`right`, or what is wrong."""
        expected = [frame // page.frames_a_number for frame in range(page.frames)]
        if len(self.by_script) != page.frames:
            return f"{len(self.by_script)} frames of {page.frames}"
        rows = {"script": self.by_script, "style": self.by_style}
        wrong = {
            name: sum(seen != wanted for seen, wanted in zip(row, expected, strict=True))
            for name, row in rows.items()
        }
        faults = [f"{count} wrong by {name}" for name, count in wrong.items() if count]
        return ", ".join(faults) or "right"


def read_numbers(ffmpeg: Path, video: Path) -> Numbers:
    crop = f"crop={_WIDTH_PX}:{_HEIGHT_PX}:0:0,format=gray"
    raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    command = [str(ffmpeg), "-v", "error", "-i", str(video), "-map", "0:v:0", "-vf", crop, *raw]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    size = _WIDTH_PX * _HEIGHT_PX
    frames = [pixels[at : at + size] for at in range(0, len(pixels), size)]
    return Numbers(
        by_script=tuple(_number(frame, 0) for frame in frames),
        by_style=tuple(_number(frame, 1) for frame in frames),
    )


def _number(frame: bytes, row: int) -> int | None:
    line = _WIDTH_PX * (row * _SQUARE_PX + _SQUARE_PX // 2)
    middle = _SQUARE_PX // 2
    levels = [frame[line + place * _SQUARE_PX + middle] for place in range(2 * BITS)]
    if any(_DARK < level < _BRIGHT for level in levels):
        return None
    number, complement = (
        sum(1 << bit for bit, level in enumerate(half) if level >= _BRIGHT)
        for half in (levels[:BITS], levels[BITS:])
    )
    return number if number ^ complement == (1 << BITS) - 1 else None
