"""What a WebP file says of itself; ffmpeg 5.1 writes animated ones and cannot read them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = struct.Struct("<4sI")
_ALPHA: Final = 0x10  # of VP8X' flags


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpFacts:
    """Pictures that follow each other and are the same are one; a still has no durations."""

    size_px: tuple[int, int]
    has_alpha: bool
    pictures: int
    durations_ms: tuple[int, ...]


def read_webp(file: bytes) -> WebpFacts:
    """Read the chunks' headers.

    Raises:
        ValueError: it is no WebP file, or damaged.

    """
    if file[:4] != b"RIFF" or file[8:12] != b"WEBP":
        raise ValueError(f"not a WebP file: it begins with {file[:12]!r}")
    chunks = list(_chunks(file))
    frames = [data for kind, data in chunks if kind == b"ANMF"]
    stills = [(kind, data) for kind, data in chunks if kind in {b"VP8 ", b"VP8L"}]
    size_px, has_alpha = _size(chunks)
    return WebpFacts(
        size_px=size_px,
        has_alpha=has_alpha,
        pictures=len(frames) or len(stills),
        durations_ms=tuple(int.from_bytes(data[12:15], "little") for data in frames),
    )


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + _CHUNK.size <= len(file):
        kind, size = _CHUNK.unpack_from(file, at)
        at += _CHUNK.size
        if at + size > len(file):
            raise ValueError(f"it ends in the middle of {kind!r}")
        yield kind, file[at : at + size]
        at += size + size % 2


def _size(chunks: list[tuple[bytes, bytes]]) -> tuple[tuple[int, int], bool]:
    for kind, data in chunks:
        if kind == b"VP8X":
            width_px = 1 + int.from_bytes(data[4:7], "little")
            return (width_px, 1 + int.from_bytes(data[7:10], "little")), bool(data[0] & _ALPHA)
        if kind == b"VP8L":
            bits = int.from_bytes(data[1:5], "little")
            size_px = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
            return size_px, bool(bits >> 28 & 1)
        if kind == b"VP8 ":
            width_px, height_px = struct.unpack_from("<HH", data, 6)
            return (width_px & 0x3FFF, height_px & 0x3FFF), False
    raise ValueError("it holds no picture")
