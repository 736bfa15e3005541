"""Shrink: from the script of a failing run to the few faults that it takes. Delta debugging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .chance import Fault, Script


def shrunk(script: Script, fails: Callable[[Script], bool], *, tries: int = 200) -> Script:
    """Return a script with as few faults as can be found in so many runs that still fails."""
    faults = list(script.faults)
    pieces = 2
    while len(faults) >= 1 and tries > 0:
        size = max(1, -(-len(faults) // pieces))
        for rest in _without_each(faults, size):
            tries -= 1
            if fails(replace(script, faults=tuple(rest))):
                faults, pieces = list(rest), max(2, pieces - 1)
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                break
            pieces = min(len(faults), 2 * pieces)
    return replace(script, faults=tuple(faults))


def _without_each(faults: Sequence[Fault], size: int) -> list[list[Fault]]:
    starts = range(0, len(faults), size)
    return [[*faults[:start], *faults[start + size :]] for start in starts]
