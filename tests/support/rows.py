"""Reads what conformance pages draw: rows of squares that are numbers, and bars that are lengths.

Row r is 24 px high and begins at y = 24·r. A bar begins at the left edge and is white.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .frame_numbers import BITS, SQUARE_PX, decoded_yuv

if TYPE_CHECKING:
    from pathlib import Path

    from .frame_numbers import Plane

_BRIGHT = 128


def read_rows(video: Path, count: int) -> list[list[int]]:
    """For each frame, the numbers of its first `count` rows."""
    return [[_number(luma, row) for row in range(count)] for luma, _, _ in decoded_yuv(video)]


def read_bars(video: Path, rows: range) -> list[list[int]]:
    """For each frame, how many px long the bar in each of the rows is."""
    return [[_length_px(luma, row) for row in rows] for luma, _, _ in decoded_yuv(video)]


def _middle(luma: Plane, row: int) -> Plane:
    line: Plane = luma[row * SQUARE_PX + SQUARE_PX // 2]
    return line


def _number(luma: Plane, row: int) -> int:
    line = _middle(luma, row)
    bits = (line[bit * SQUARE_PX + SQUARE_PX // 2] > _BRIGHT for bit in range(BITS))
    return sum(int(is_set) << bit for bit, is_set in enumerate(bits))


def _length_px(luma: Plane, row: int) -> int:
    line = _middle(luma, row)
    dark = np.flatnonzero(line <= _BRIGHT)
    return int(dark[0]) if len(dark) else len(line)
