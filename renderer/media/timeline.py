"""Which picture of a source belongs to a time, in exact fractions of seconds."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MICRO: Final = Fraction(1, 1_000_000)
_COARSEST_ROUNDED: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Picture:
    """A BMP file, shown from `start_s` up to, but not including, `stop_s` (None: for ever)."""

    start_s: Fraction
    stop_s: Fraction | None
    bmp: bytes

    def covers(self, time_s: Fraction) -> bool:
        return self.start_s <= time_s and (self.stop_s is None or time_s < self.stop_s)


def source_time_s(at_us: int, duration_s: Fraction, *, loops: bool) -> Fraction:
    """Where in the source an element stands that has played for `at_us`, from its beginning on."""
    at_s = max(Fraction(0), at_us * MICRO)
    if not loops or duration_s <= 0:
        return at_s
    return at_s % duration_s


def tolerance_s(time_base: Fraction) -> Fraction:
    """How much earlier than it claims a picture begins.

    A container rounds times to its ticks: in WebM, whose tick is 1 ms, the third picture of 30 a
    second stands at 67 ms and is due at 66.67 ms. Coarser ticks are the source's own.
    """
    return (time_base / 2 if time_base <= _COARSEST_ROUNDED else 0) + MICRO


class Shelf:
    """Decoded pictures by source and time; those not asked for longest go when it is full.

    `damaged` are the sources of which some pictures could not be decoded.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._pictures: OrderedDict[tuple[str, Fraction], Picture] = OrderedDict()
        self._starts: dict[str, list[Fraction]] = {}
        self.damaged = set[str]()

    def find(self, source: str, time_s: Fraction) -> Picture | None:
        starts = self._starts.get(source, [])
        place = bisect_right(starts, time_s) - 1
        if place < 0:
            return None
        key = (source, starts[place])
        picture = self._pictures[key]
        if not picture.covers(time_s):
            return None
        self._pictures.move_to_end(key)
        return picture

    def put(self, source: str, picture: Picture) -> None:
        key = (source, picture.start_s)
        if key in self._pictures:
            return
        self._pictures[key] = picture
        insort(self._starts.setdefault(source, []), picture.start_s)
        self._held_bytes += len(picture.bmp)
        while self._held_bytes > self._limit_bytes and len(self._pictures) > 1:
            self._drop(next(iter(self._pictures)))

    def forget(self, source: str) -> None:
        self.damaged.discard(source)
        for start_s in tuple(self._starts.get(source, ())):
            self._drop((source, start_s))

    def _drop(self, key: tuple[str, Fraction]) -> None:
        source, start_s = key
        self._held_bytes -= len(self._pictures.pop(key).bmp)
        self._starts[source].remove(start_s)
        if not self._starts[source]:
            del self._starts[source]
