"""Timing: which frames a cue is in, and times that mean just these frames. Pure."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from renderer.frames import FrameRange

if TYPE_CHECKING:
    from renderer.frames import FrameRate

    from .cues import Cue


def frames_of(cue: Cue, offset_s: Fraction, rate: FrameRate) -> FrameRange:
    """The composition's frames whose time is in the cue; none before frame 0."""
    first = max(0, _first_at(cue.start_ms, offset_s, rate))
    return FrameRange(first, max(first, _first_at(cue.end_ms, offset_s, rate)))


def told_ms(time_s: Fraction, rate: FrameRate, *, tick_ms: int = 1) -> int:
    """A time in milliseconds, a multiple of the tick, that has the same frames before it.

    That is the next one, or the last one up to the first frame that is not before it.
    """
    tick_s = Fraction(tick_ms, 1000)
    frame = math.ceil(time_s * rate.fraction)
    return tick_ms * min(math.ceil(time_s / tick_s), math.floor(rate.seconds(frame) / tick_s))


def _first_at(time_ms: int, offset_s: Fraction, rate: FrameRate) -> int:
    """The first frame that is not before a time of the file."""
    return math.ceil((Fraction(time_ms, 1000) + offset_s) * rate.fraction)
