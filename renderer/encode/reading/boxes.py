"""Boxes of mp4 and mov files: where they are (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renderer.errors import EncoderError

from .bits import UnfamiliarError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_HEAD: Final = struct.Struct(">I4s")
_LONG: Final = struct.Struct(">Q")
_IS_LONG: Final = 1  # in place of a size
_FIRST: Final = b"ftyp"
_HOLD_BOXES: Final = frozenset(
    {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"moof", b"traf"}
)


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its name, and where its content begins and ends."""

    name: bytes
    start: int
    stop: int


def boxes(data: bytes | bytearray, start: int = 0, stop: int | None = None) -> Iterator[Box]:
    """Each box, and those within.

    Raises:
        ValueError: a box ends where there is nothing any more.

    """
    stop = len(data) if stop is None else stop
    while start + _HEAD.size <= stop:
        size, name = _HEAD.unpack_from(data, start)
        if size < _HEAD.size or start + size > stop:
            raise ValueError(f"box {name!r} has {size} bytes, of {stop - start}")
        yield Box(name, start + _HEAD.size, start + size)
        if name in _HOLD_BOXES:
            yield from boxes(data, start + _HEAD.size, start + size)
        start += size


def outer_boxes(file: BinaryIO) -> Iterator[Box]:
    """A file's boxes but for those within; only their heads are read.

    Raises:
        EncoderError: it is an mp4 or mov file that ends within a box.
        UnfamiliarError: it is none.

    """
    stop, start = file.seek(0, os.SEEK_END), 0
    while start < stop:
        file.seek(start)
        content, size, name = _outer_head(file.read(_HEAD.size + _LONG.size))
        if size == 0 or (start == 0 and name != _FIRST):
            raise UnfamiliarError("the file is no mp4 and no mov, or does not say where it ends")
        if size < content or start + size > stop:
            raise EncoderError(
                f"{file.name} is cut off: of {size} bytes of its box {name.decode('latin-1')} "
                f"{stop - start} are there"
            )
        yield Box(name, start + content, start + size)
        start += size


def _outer_head(head: bytes) -> tuple[int, int, bytes]:
    """After how many bytes the content begins, the box's size and its name."""
    size, name = _HEAD.unpack_from(head.ljust(_HEAD.size, b"\0"))
    if size != _IS_LONG:
        return _HEAD.size, size, name
    return _HEAD.size + _LONG.size, _LONG.unpack_from(head.ljust(16, b"\0"), _HEAD.size)[0], name
