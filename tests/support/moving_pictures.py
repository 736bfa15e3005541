"""Animated GIF, APNG, WebP and AVIF files whose pictures bear their numbers, made by ffmpeg."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import numpy as np

from .frame_numbers import BITS, SQUARE_PX

if TYPE_CHECKING:
    from pathlib import Path

WIDTH_PX: Final = 400
PICTURES: Final = 12
_FORMATS: Final = {
    "gif": ("-loop", "0"),
    "apng": ("-f", "apng", "-plays", "0"),
    "avif": ("-c:v", "libaom-av1", "-crf", "0", "-cpu-used", "8", "-pix_fmt", "yuv444p"),
    "webp": ("-c:v", "libwebp_anim", "-lossless", "1", "-loop", "0"),
}


def moving_picture(folder: Path, name: str, picture_ms: int) -> bytes:
    """A file whose picture k, from 0 on, is shown for `picture_ms` and bears the number k."""
    raw = b"".join(_picture(number) for number in range(PICTURES))
    size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH_PX}x{SQUARE_PX}"]
    output = folder / f"moving.{name}"
    rate = f"1000/{picture_ms}"
    command = ["ffmpeg", "-v", "error", "-y", *size, "-r", rate, "-i", "-", *_FORMATS[name]]
    subprocess.run([*command, str(output)], input=raw, check=True)
    return output.read_bytes()


def _picture(number: int) -> bytes:
    picture = np.zeros((SQUARE_PX, WIDTH_PX, 3), np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            picture[:, bit * SQUARE_PX : (bit + 1) * SQUARE_PX] = 255
    return picture.tobytes()
