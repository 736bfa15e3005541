"""Gamut: in which colours a page is painted, and which the numbers of its video's pixels mean."""

from __future__ import annotations

from enum import StrEnum


class ColorGamut(StrEnum):
    """P3 is Display P3: sRGB's curve and white with wider primaries."""

    SRGB = "srgb"
    P3 = "p3"
