"""Boxes of fragmented mp4 files: when they are shown, and what decodes them. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from renderer.encode.reading.boxes import boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from renderer.encode.reading.boxes import Box

_HEAD: Final = struct.Struct(">I4s")
_ENTRIES: Final = 8  # bytes of stsd before its first entry
_PICTURE_ENTRY: Final = 78  # bytes of a picture's entry before its own boxes
_VERSION_1: Final = 1
# Of trun's flags: what stands before its samples, and what of each sample.
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_SAMPLE_FIELDS: Final = (0x100, 0x200, 0x400)  # duration, size, flags
_SAMPLE_OFFSET: Final = 0x800
_SAMPLE_SIZE: Final = 0x200
# Of tfhd's flags, and of a sample's: one that is decoded without any other.
_BASE_IS_MOOF, _DEFAULT_DURATION, _DEFAULT_FLAGS = 0x20000, 0x8, 0x20
_NEEDS_NO_OTHER: Final = 0x2000000


def moved(fragment: bytes, *, number: int, begins: int, earlier: int) -> bytes:
    """A moof that is fragment `number` and begins at tick `begins`.

    Its samples are shown `earlier` ticks before their time, which may be before they are decoded.
    """
    data = bytearray(fragment)
    for box in boxes(fragment):
        if box.name == b"mfhd":
            struct.pack_into(">I", data, box.start + 4, number)
        elif box.name == b"tfdt":
            if data[box.start] != _VERSION_1:
                raise ValueError("the fragment's time has 32 bits")
            struct.pack_into(">Q", data, box.start + 4, begins)
        elif box.name == b"trun" and earlier:
            _show_earlier(data, box, earlier)
    return bytes(data)


def _show_earlier(data: bytearray, run: Box, earlier: int) -> None:
    flags, count = struct.unpack_from(">II", data, run.start)
    flags &= 0xFFFFFF
    if not flags & _SAMPLE_OFFSET:
        raise ValueError("the fragment does not say when its samples are shown")
    data[run.start] = _VERSION_1  # offsets have a sign
    at = run.start + 8 + 4 * sum(bool(flags & bit) for bit in (_DATA_OFFSET, _FIRST_FLAGS))
    before = 4 * sum(bool(flags & bit) for bit in _SAMPLE_FIELDS)
    for sample in range(count):
        place = at + sample * (before + 4) + before
        (offset,) = struct.unpack_from(">i", data, place)
        struct.pack_into(">i", data, place, offset - earlier)


def sound_fragment(sizes: Sequence[int], *, number: int, begins: int, duration: int) -> bytes:
    """The moof of a fragment of a file's only track: samples of these sizes and one duration."""
    flags = _BASE_IS_MOOF | _DEFAULT_DURATION | _DEFAULT_FLAGS
    track = boxed(b"tfhd", struct.pack(">IIII", flags, 1, duration, _NEEDS_NO_OTHER))
    time = boxed(b"tfdt", struct.pack(">IQ", _VERSION_1 << 24, begins))

    def whole(data_offset: int) -> bytes:
        facts = struct.pack(">IIi", _DATA_OFFSET | _SAMPLE_SIZE, len(sizes), data_offset)
        run = boxed(b"trun", facts, struct.pack(f">{len(sizes)}I", *sizes))
        number_box = boxed(b"mfhd", struct.pack(">II", 0, number))
        return boxed(b"moof", number_box, boxed(b"traf", track, time, run))

    return whole(len(whole(0)) + _HEAD.size)


def boxed(name: bytes, *content: bytes) -> bytes:
    """A box, as it is written."""
    size = _HEAD.size + sum(map(len, content))
    return b"".join((_HEAD.pack(size, name), *content))


def codec_text(head: bytes) -> str:
    """What HTML calls the codec of a file's first track (RFC 6381), of its ftyp and moov.

    Raises:
        ValueError: it is none that we write.

    """
    for box in _of_entry(head):
        if found := _text_of(box.name, head[box.start : box.stop]):
            return found
    raise ValueError("no codec of the file is one that browsers name")


def _of_entry(head: bytes) -> Iterator[Box]:
    """What is said of the track's pictures."""
    for box in boxes(head):
        if box.name == b"stsd":
            entry = next(boxes(head, box.start + _ENTRIES, box.stop))
            yield from boxes(head, entry.start + _PICTURE_ENTRY, entry.stop)


def _text_of(name: bytes, record: bytes) -> str:
    match name:
        case b"avcC":
            return f"avc1.{record[1:4].hex()}"
        case b"hvcC":
            return _hevc(record)
        case b"vpcC":
            return f"vp09.{record[4]:02}.{record[5]:02}.{record[6] >> 4:02}"
        case b"av1C":
            profile, level = record[1] >> 5, record[1] & 31
            tier = "H" if record[2] & 0x80 else "M"
            return f"av01.{profile}.{level:02}{tier}.{10 if record[2] & 0x40 else 8:02}"
        case _:
            return ""


def _hevc(record: bytes) -> str:
    (compatible,) = struct.unpack_from(">I", record, 2)
    turned = int(f"{compatible:032b}"[::-1], 2)
    tier = "H" if record[1] & 0x20 else "L"
    limits = record[6:12].rstrip(b"\0")
    more = "".join(f".{byte:X}" for byte in limits)
    return f"hvc1.{record[1] & 31}.{turned:X}.{tier}{record[12]}{more}"
