"""Lanes on disk: files as long as the mix, with the samples of voices where they are heard."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Final

from .clips import Gains, level_at
from .pcm import ROW_BYTES, SAMPLE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """`count` samples of a file from `first` on; silence without a file."""

    file: Path | None
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Laid:
    """Stretches, one after the other, that are heard from sample `start` on."""

    start: int
    stop: int
    stretches: tuple[Stretch, ...]
    gains: Gains

    @property
    def is_plain(self) -> bool:
        return all(gain == 1 for _, gain in self.gains)


@dataclass(frozen=True, slots=True)
class LaneFiles:
    """Samples, and how loud each is (None: as it is)."""

    samples: Path
    gains: Path | None


def write_lane(path: Path, laid: Sequence[Laid], total_samples: int, *, halt: Event) -> LaneFiles:
    """Write a lane; nothing is stored of what is silent.

    It blocks on the disk, and returns soon when `halt` is set; the files are of no use then.
    """
    with path.open("wb") as file:
        for each in laid:
            file.seek(each.start * ROW_BYTES)
            write_stretches(file, each.stretches, halt=halt)
        file.truncate(total_samples * ROW_BYTES)
    if all(each.is_plain for each in laid):
        return LaneFiles(path, None)
    gains = path.with_suffix(".gains")
    with gains.open("wb") as file:
        for each in laid:
            file.seek(each.start * SAMPLE_BYTES)
            for block in levels(each.gains, each.start, each.stop):
                if halt.is_set():
                    break
                file.write(block)
        file.truncate(total_samples * SAMPLE_BYTES)
    return LaneFiles(path, gains)


def write_stretches(file: IO[bytes], stretches: Iterable[Stretch], *, halt: Event) -> None:
    """Write stretches from where the file stands; silence is skipped, which reads as zeros."""
    for stretch in stretches:
        if stretch.file is None:
            file.seek(stretch.count * ROW_BYTES, 1)
            continue
        with stretch.file.open("rb") as source:
            source.seek(stretch.first * ROW_BYTES)
            left = stretch.count * ROW_BYTES
            while left and not halt.is_set():
                if not (block := source.read(min(left, _BLOCK_BYTES))):
                    break
                file.write(block)
                left -= len(block)
        file.seek(left, 1)


def levels(gains: Gains, start: int, stop: int) -> Iterator[bytes]:
    """A curve's height at each sample of [start, stop), as floats."""
    inner = (sample for sample, _ in gains if start < sample < stop)
    for left, right in pairwise([start, *inner, stop]):
        yield from _straight(level_at(gains, left), level_at(gains, right), right - left)


def _straight(low: float, high: float, count: int) -> Iterator[bytes]:
    for begin in range(0, count, _BLOCK_BYTES):
        size = min(_BLOCK_BYTES, count - begin)
        if low == high:
            yield array("f", [low]).tobytes() * size
        else:
            step = (high - low) / count
            yield array("f", (low + step * n for n in range(begin, begin + size))).tobytes()
