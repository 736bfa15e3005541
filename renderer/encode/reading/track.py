"""The one track of an mp4 file of pictures: its frames' times and places, and what decodes them.

What ffmpeg's muxer writes is read, and nothing besides: a table that has more in it, or less, is
left to ffprobe.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, repeat
from typing import TYPE_CHECKING, Final

from .bits import UnfamiliarError
from .boxes import boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .boxes import Box

_TABLE: Final = 8  # bytes before a table's entries: version and flags, and their number
_PICTURES: Final = b"vide"
_ENTRY: Final = 78  # bytes of a picture's entry before its own boxes
_ENTRY_SIZE: Final = 24  # where in it width and height stand
_AS_FAST: Final = 1 << 16  # an edit's rate
_IN_THIS_FILE: Final = bytes.fromhex("0000001c6472656600000000000000010000000c75726c2000000001")
_KNOWN: Final = frozenset(
    b"mvhd trak tkhd edts elst mdia mdhd hdlr minf vmhd dinf stbl stsd stts stss sdtp ctts stsc "
    b"stsz stco co64 udta".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A track whose frames follow each other at one distance, from 0 on.

    `entry` is the four letters of their codec, `said` the boxes that come with it, by name.
    """

    ticks_per_second: int
    ticks_per_frame: int
    frames: int
    entry: bytes
    size_px: tuple[int, int]
    said: Mapping[bytes, bytes]


def track_of(movie: bytes, data: Sequence[Box]) -> Track:
    """Read the content of a `moov` box; `data` are the file's `mdat` boxes.

    Raises:
        UnfamiliarError: it has another form, or its tables are not of one mind.
        LookupError, ValueError, struct.error: a table is missing, or ends before it should.

    """
    told = _told(movie)
    if told[b"hdlr"][8:12] != _PICTURES or told[b"dinf"] != _IN_THIS_FILE:
        raise UnfamiliarError("the track holds no pictures, or they are not in this file")
    ticks_per_second, duration = _clock(told[b"mdhd"])
    sizes = _sizes(told[b"stsz"])
    _check_places(told, sizes, data)
    _check_keys(told, len(sizes))
    ticks_per_frame = duration // len(sizes)
    lengths = _expanded(_runs(told[b"stts"]), len(sizes))
    if duration != sum(lengths) or set(lengths) != {ticks_per_frame}:
        raise UnfamiliarError("the frames are not equally long")
    begin = _begin(told, ticks_per_second, duration)
    offsets = _expanded(_runs(told[b"ctts"]), len(sizes)) if b"ctts" in told else [0] * len(sizes)
    decoded = range(-begin, duration - begin, ticks_per_frame)
    shown = sorted(at + offset for at, offset in zip(decoded, offsets, strict=True))
    if shown != list(range(0, duration, ticks_per_frame)):
        raise UnfamiliarError("the frames do not follow each other from 0 on")
    entry, size_px, said = _entry(told[b"stsd"])
    return Track(
        ticks_per_second=ticks_per_second,
        ticks_per_frame=ticks_per_frame,
        frames=len(sizes),
        entry=entry,
        size_px=size_px,
        said=said,
    )


def _told(movie: bytes) -> dict[bytes, bytes]:
    """What stands in the boxes, each of which comes once where there is one track."""
    told: dict[bytes, bytes] = {}
    for box in boxes(movie):
        if box.name in told or box.name not in _KNOWN:
            raise UnfamiliarError(f"a box {box.name!r}, or a second one, is not read here")
        told[box.name] = movie[box.start : box.stop]
    return told


def _content(box: bytes) -> bytes:
    """What follows a version and flags that are 0."""
    if box[:4] != bytes(4):
        raise UnfamiliarError(f"a box of version and flags {box[:4].hex()} is not read here")
    return box[4:]


def _entries(table: bytes, layout: str) -> list[tuple[int, ...]]:
    """A table's entries, which have to be as many as it says."""
    content = _content(table)
    (count,) = struct.unpack_from(">I", content)
    entries = list(struct.iter_unpack(layout, content[4:]))
    if len(entries) != count:
        raise UnfamiliarError(f"a table of {count} entries has {len(entries)}")
    return entries


def _clock(head: bytes) -> tuple[int, int]:
    """Ticks a second, and how many of them, of a movie's or a track's head."""
    ticks_per_second, duration = struct.unpack_from(">II", _content(head), 8)
    return ticks_per_second, duration


def _sizes(table: bytes) -> Sequence[int]:
    """Each frame's bytes."""
    each, count = struct.unpack_from(">II", _content(table))
    if each and count == 1:
        return (each,)
    sizes = [size for (size,) in _entries(table[:4] + table[8:], ">I")]
    if each or not all(sizes):
        raise UnfamiliarError("frames that are all of one size, or of none, are not read here")
    return sizes


def _runs(table: bytes) -> list[tuple[int, ...]]:
    return _entries(table, ">II")


def _expanded(runs: Sequence[tuple[int, ...]], count: int) -> list[int]:
    """Of runs (how many frames, and what each has) what each frame has."""
    if sum(length for length, _ in runs) != count:
        raise UnfamiliarError("the tables differ in the number of frames")
    return list(chain.from_iterable(repeat(value, length) for length, value in runs))


def _begin(told: Mapping[bytes, bytes], ticks_per_second: int, duration: int) -> int:
    """The tick at which the film begins. It has to go on to the end of the track."""
    if b"elst" not in told:
        return 0
    ((shown, begin, rate),) = _entries(told[b"elst"], ">IiI")
    movie_ticks, _ = _clock(told[b"mvhd"])
    over = shown * ticks_per_second - duration * movie_ticks
    if begin < 0 or rate != _AS_FAST or not 0 <= over < ticks_per_second:
        raise UnfamiliarError("the file shows only a part of its track")
    return begin


def _check_places(told: Mapping[bytes, bytes], sizes: Sequence[int], data: Sequence[Box]) -> None:
    """Each frame's bytes are in the file."""
    long = b"co64" in told
    starts = [
        start for (start,) in _entries(told[b"co64" if long else b"stco"], ">Q" if long else ">I")
    ]
    ends = list(accumulate(_counts(told[b"stsc"], len(starts)), initial=0))
    if ends[-1] != len(sizes):
        raise UnfamiliarError("the tables differ in the number of frames")
    for start, (first, last) in zip(starts, pairwise(ends), strict=True):
        stop = start + sum(sizes[first:last])
        if not any(box.start <= start and stop <= box.stop for box in data):
            raise UnfamiliarError(f"frames {first}…{last - 1} are not in the file")


def _check_keys(told: Mapping[bytes, bytes], frames: int) -> None:
    """The first frame is a key frame; where nothing is said, all are."""
    keys = [key for (key,) in _entries(told[b"stss"], ">I")] if b"stss" in told else [1]
    if keys[:1] != [1] or keys[-1] > frames or any(a >= b for a, b in pairwise(keys)):
        raise UnfamiliarError("the film does not begin with a key frame")


def _counts(table: bytes, places: int) -> Iterator[int]:
    """How many frames stand at each of so many places."""
    runs = _entries(table, ">III")
    firsts = [*(first for first, _, _ in runs), places + 1]
    if firsts[0] != 1 or any(kind != 1 for _, _, kind in runs):
        raise UnfamiliarError("pictures of several kinds are not read here")
    for (_, count, _), (first, following) in zip(runs, pairwise(firsts), strict=True):
        if not count or first >= following:
            raise UnfamiliarError("the places of frames are not in order")
        yield from repeat(count, following - first)


def _entry(table: bytes) -> tuple[bytes, tuple[int, int], dict[bytes, bytes]]:
    """The codec, the size, and what else is said of the pictures."""
    (entry,) = boxes(table, _TABLE)
    if table[:_TABLE] != struct.pack(">II", 0, 1):
        raise UnfamiliarError("pictures of several kinds are not read here")
    width_px, height_px = struct.unpack_from(">HH", table, entry.start + _ENTRY_SIZE)
    inner = boxes(table, entry.start + _ENTRY, entry.stop)
    said = {box.name: table[box.start : box.stop] for box in inner}
    return entry.name, (width_px, height_px), said
