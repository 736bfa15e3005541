"""Reads back the frame numbers that test pages and pictures draw: every frame is decoded.

A number is a row of 16 squares of 24×24 px along the top edge; bit 0 is the leftmost, white is 1.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]

BITS = 16
SQUARE_PX = 24
_BRIGHT = 128


def decode_frame_numbers(video: Path) -> list[int]:
    """The number in each decoded frame, in the order in which they are shown."""
    width_px, height_px = video_size_px(video)
    assert width_px >= BITS * SQUARE_PX, f"{video} is {width_px} px wide: no room for a number"
    row = width_px * (SQUARE_PX // 2)
    return [
        sum(
            1 << bit
            for bit in range(BITS)
            if frame[row + bit * SQUARE_PX + SQUARE_PX // 2] > _BRIGHT
        )
        for frame in _frames(video, "gray", width_px * height_px)
    ]


def frame_digests(video: Path) -> list[str]:
    """A sha256 of each decoded frame's pixels, in the order in which they are shown."""
    width_px, height_px = video_size_px(video)
    size = width_px * height_px * 3 // 2
    return [hashlib.sha256(frame).hexdigest() for frame in _frames(video, "yuv420p", size)]


def decoded_yuv(video: Path) -> list[tuple[Plane, Plane, Plane]]:
    """The planes of each decoded 4:2:0 frame: luma, and two of a quarter of its size."""
    width_px, height_px = video_size_px(video)
    luma, chroma = width_px * height_px, width_px * height_px // 4
    frames = [
        np.frombuffer(frame, np.uint8) for frame in _frames(video, "yuv420p", luma + 2 * chroma)
    ]
    half = (height_px // 2, width_px // 2)
    return [
        (
            frame[:luma].reshape(height_px, width_px),
            frame[luma : luma + chroma].reshape(half),
            frame[luma + chroma :].reshape(half),
        )
        for frame in frames
    ]


def video_size_px(video: Path) -> tuple[int, int]:
    what = ["-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "json"]
    found = subprocess.run(
        ["ffprobe", "-v", "error", *what, str(video)], check=True, capture_output=True
    )
    (stream,) = json.loads(found.stdout)["streams"]
    return stream["width"], stream["height"]


def _frames(video: Path, pixel_format: str, size: int) -> Iterator[bytes]:
    # passthrough: ffmpeg neither repeats nor drops a frame to please a rate.
    raw = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", pixel_format]
    command = ["ffmpeg", "-v", "error", "-i", str(video), "-map", "0:v:0", *raw, "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while frame := process.stdout.read(size):
            assert len(frame) == size, f"{video} ends in the middle of a frame"
            yield frame
    assert process.returncode == 0, f"ffmpeg could not decode all of {video}"
