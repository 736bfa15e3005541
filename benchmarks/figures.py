"""What measured numbers say: medians with their ranges, ratios, and whether an aim was reached."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The same thing, measured a few times."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a sample holds at least one value, got none")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, digits: int = 1) -> str:
        """`12.3 (11.0–14.1)`: the median, and the range if there is more than one value."""
        middle = f"{self.median:.{digits}f}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({min(self.values):.{digits}f}–{max(self.values):.{digits}f})"


def sample(values: Sequence[float]) -> Sample:
    return Sample(tuple(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A ratio that is to be reached: at least or at most so much."""

    at_least: float | None = None
    at_most: float | None = None

    def is_reached(self, ratio: float) -> bool:
        is_enough = self.at_least is None or ratio >= self.at_least
        return is_enough and (self.at_most is None or ratio <= self.at_most)

    def __str__(self) -> str:
        ends = [(self.at_least, "≥"), (self.at_most, "≤")]
        return " and ".join(f"{sign} {end:g} ×" for end, sign in ends if end is not None)


def verdict(ratio: float, aim: Aim) -> str:
    """`**3.4 ×** (aim ≥ 3 ×: reached)`."""
    word = "reached" if aim.is_reached(ratio) else "not reached"
    return f"**{ratio:.2f} ×** (aim {aim}: {word})"


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Sample:
    """Ratios of what was measured side by side, round by round: the machine's mood cancels out.

    Raises:
        ValueError: there are not as many of one as of the other.

    """
    pairs = zip(numerators, denominators, strict=True)
    return sample([numerator / denominator for numerator, denominator in pairs])


def alternated(items: Sequence[str], rounds: int) -> list[list[str]]:
    """The order of each round: forwards, then backwards, so that no one always comes first."""
    return [list(items) if turn % 2 == 0 else list(reversed(items)) for turn in range(rounds)]


def counted(count: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
