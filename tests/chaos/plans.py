"""What is done to a farm, and when: drawn from a seed, and the same for the same seed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

COORDINATOR = -1


class Deed(StrEnum):
    KILL = "kill -9"  # and start anew
    FREEZE = "freeze"  # SIGSTOP, then SIGCONT
    RESET = "reset"  # break every connection to it
    STALL = "stall"  # half-open: nothing comes through, nothing breaks
    DELAY = "delay"  # everything takes longer on the way
    SET_CLOCK = "set clock"  # an hour on, then an hour back, and right again
    UNPLUG = "unplug"  # all workers at once: no packet reaches them or comes back


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Blow:
    """A deed to a worker, by its number, or to the COORDINATOR."""

    at: float
    target: int
    deed: Deed
    lasts_s: float = 0.0

    def __str__(self) -> str:
        whom = "coordinator" if self.target == COORDINATOR else f"worker {self.target}"
        lasts = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.at:.1f} {self.deed} {whom}{lasts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A deed that is done again and again, to one of several targets, by chance."""

    deed: Deed
    every: float
    targets: tuple[int, ...]
    lasts_s: tuple[float, float] = (0.0, 0.0)

    def blows(self, chance: random.Random) -> Iterator[Blow]:
        at = 0.0
        while True:
            at += self.every
            yield Blow(
                # Not always in step with whatever the farm does every so many seconds.
                at=at - self.every * 0.4 * chance.random(),
                target=chance.choice(self.targets),
                deed=self.deed,
                lasts_s=round(chance.uniform(*self.lasts_s), 1),
            )


def plan(habits: tuple[Habit, ...], *, seed: int) -> Iterator[Blow]:
    """All that is done, in order, without an end."""
    streams = [
        habit.blows(random.Random(f"{seed}/{number}")) for number, habit in enumerate(habits)
    ]
    return heapq.merge(*streams)
