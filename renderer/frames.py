"""Frame indices, ranges and rates: integers and rationals only. Times are derived, never added."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

# Blink rounds animation time, requestAnimationFrame stamps and performance.now() to a grid of
# 100 µs with a random threshold. Times that lie on the grid come out the same in every process.
GRID_US: Final = 100
_RATE: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12}|/0*[1-9][0-9]{0,11})?")
_NTSC: Final = Fraction(1000, 1001)
_NTSC_TOLERANCE: Final = Fraction(1, 100)
_NTSC_BASES: Final = (24, 30, 60, 120)


@dataclass(frozen=True, slots=True, order=True)
class FrameRange:
    """The frames from `start` up to, but not including, `stop`."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"a frame range needs 0 <= start <= stop, got {self}")

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    def __str__(self) -> str:
        return f"[{self.start}, {self.stop})"


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames a second, as a rational in lowest terms: 30000/1001 is a rate, 29.97 becomes it."""

    numerator: int
    denominator: int = 1

    def __post_init__(self) -> None:
        if self.numerator < 1 or self.denominator < 1:
            raise ValueError(f"a frame rate is positive, got {self.numerator}/{self.denominator}")
        # 60/2 is 30: equal rates are equal values, with the same text and the same file's bytes.
        divisor = math.gcd(self.numerator, self.denominator)
        object.__setattr__(self, "numerator", self.numerator // divisor)
        object.__setattr__(self, "denominator", self.denominator // divisor)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `30`, `30000/1001` or `29.97`.

        A decimal within 0.01 of an NTSC rate (24, 30, 60 or 120 times 1000/1001) is that rate.

        Raises:
            ValueError: the text is not a positive number or fraction.

        """
        fraction = _fraction(text.strip())
        if fraction <= 0:
            raise ValueError(f"a frame rate is positive, got {text}")
        if "/" not in text and fraction.denominator != 1:
            fraction = _nearest_ntsc(fraction) or fraction
        return cls(fraction.numerator, fraction.denominator)

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    def time_us(self, frame: int) -> int:
        """When frame `frame` is shown, in µs, on the 100 µs grid; frame 0 at 0.

        Every later frame stands at the first point of the grid *after* frame / fps, at most 0.1 ms
        late, so that whatever happens at frame / fps (a CSS step, a timer, `Math.floor(t * fps)`)
        has happened when it is drawn. A point just *at* it does not do: a double may lie below.
        """
        ticks = Fraction(frame * 1_000_000, GRID_US) / self.fraction
        return (ticks // 1 + 1) * GRID_US if frame else 0

    def seconds(self, frames: int) -> Fraction:
        return frames / self.fraction

    def __str__(self) -> str:
        if self.denominator == 1:
            return str(self.numerator)
        return f"{self.numerator}/{self.denominator}"


def frames_in(duration_s: Fraction, rate: FrameRate) -> int:
    """How many frames last `duration_s` seconds: duration · fps, to the nearest, at least 1.

    Exactly half a frame rounds up.

    Raises:
        ValueError: the duration is not positive.

    """
    if duration_s <= 0:
        raise ValueError(f"a duration is positive, got {float(duration_s):g} s")
    return max(1, int(duration_s * rate.fraction + Fraction(1, 2)))


def parse_duration(text: str) -> Fraction:
    """Read `5s`, `1.5s`, `500ms`, `2m`, `1m30s` or a bare number of seconds, as exact seconds.

    Raises:
        ValueError: the text is not a duration.

    """
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip()):
        return Fraction(text.strip())
    match = re.fullmatch(
        r"(?P<sign>-?)(?:(?P<m>\d+)m(?!s))?(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+(?:\.\d+)?)ms)?",
        text.strip(),
    )
    if match is None or not any((match["m"], match["s"], match["ms"])):
        raise ValueError(f"{text!r} is not a duration; write it like 5s, 1.5s, 500ms or 1m30s")
    seconds = Fraction(match["m"] or 0) * 60 + Fraction(match["s"] or 0)
    seconds += Fraction(match["ms"] or 0) / 1000
    return -seconds if match["sign"] else seconds


def _fraction(text: str) -> Fraction:
    # Not all that Python takes for a number: 1e999999999 would fill the memory.
    if not _RATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a frame rate; write it like 30, 29.97 or 30000/1001")
    return Fraction(text)


def _nearest_ntsc(fraction: Fraction) -> Fraction | None:
    candidates = (base * _NTSC for base in _NTSC_BASES)
    return next((rate for rate in candidates if abs(rate - fraction) < _NTSC_TOLERANCE), None)
