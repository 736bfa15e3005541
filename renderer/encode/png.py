"""What a PNG file's first bytes say."""

from __future__ import annotations

import struct
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">8sI4sII")


def png_size(picture: bytes | memoryview) -> tuple[int, int]:
    """Read width and height in pixels from a PNG's header.

    Raises:
        ValueError: the bytes are no PNG.

    """
    if len(picture) < _HEADER.size:
        raise ValueError(f"{len(picture)} bytes are too few for a PNG")
    signature, _, kind, width_px, height_px = _HEADER.unpack_from(picture)
    if signature != _SIGNATURE or kind != b"IHDR":
        raise ValueError(f"not a PNG: it begins with {bytes(picture[:8])!r}")
    return width_px, height_px
