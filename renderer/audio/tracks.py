"""Tracks: the sounds that a job is given, and what of them is heard when. Values only."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_VOLUME: Final = 100.0
MAX_OFFSET_S: Final = 7 * 24 * 3600
MIN_RATE: Final = 1 / 16
MAX_RATE: Final = 16.0
# The only demuxers that may open a user's file. Playlists (HLS, DASH, concat) are not among them:
# they could make ffmpeg read other files of this machine into the video.
SOUND_FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,caf,eac3,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,ogg,opus,tta,w64,wav,wv,avi,flv,mpeg,mpegts"
)
_TIMES: Final = ("offset_s", "seek_s", "fade_in_s", "fade_out_s", "from_s", "to_s")
_NOT_NEGATIVE: Final = ("seek_s", "fade_in_s", "fade_out_s", "from_s", "to_s")

Seconds = Fraction | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What of a sound is heard when. Times are seconds and kept as fractions.

    The sound's time `seek_s` is heard at `offset_s` of the composition's timeline, and it goes on
    from there: once, or with `loop` again and again. A negative offset cuts its beginning. It is
    heard from `from_s` up to `to_s` of the timeline only, where they are given. The fades lie
    within what is heard: one ends where the sound, or the video, does. `volume` is a factor,
    `rate` is how fast it plays, at its own pitch.
    """

    offset_s: Seconds = Fraction(0)
    seek_s: Seconds = Fraction(0)
    volume: float = 1.0
    fade_in_s: Seconds = Fraction(0)
    fade_out_s: Seconds = Fraction(0)
    loop: bool = False
    rate: float = 1.0
    from_s: Seconds | None = None
    to_s: Seconds | None = None

    def __post_init__(self) -> None:
        for name in _TIMES:
            value = getattr(self, name)
            if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
                # By its text: 0.1 means a tenth, and not the binary fraction beside it.
                object.__setattr__(self, name, Fraction(str(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Placement):
    """A sound file, and what of it is heard when.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """

    source: Path

    def __post_init__(self) -> None:
        Placement.__post_init__(self)  # super() does not find its way in a class with slots
        if problems := tuple(placement_problems(self)):
            raise InvalidRequestError(Violation("audio", problem) for _, problem in problems)


def placement_of(placement: Placement) -> dict[str, Any]:
    """Its fields, for another value of the same placement."""
    return {each.name: getattr(placement, each.name) for each in fields(Placement)}


def placement_problems(placement: Placement) -> Iterator[tuple[str, str]]:
    """Each option that cannot be, by its name on the command line, and why."""
    for name in _TIMES:
        value = getattr(placement, name)
        if value is not None and (problem := _time_problem(name, value)):
            yield name.removesuffix("_s"), problem
    volume, rate = placement.volume, placement.rate
    if not (math.isfinite(volume) and 0 <= volume <= MAX_VOLUME):
        yield (
            "volume",
            f"the volume {volume:g} is outside 0…{MAX_VOLUME:g}; 1 changes nothing",
        )
    if not (math.isfinite(rate) and MIN_RATE <= rate <= MAX_RATE):
        yield (
            "rate",
            f"the rate {rate:g} is outside {MIN_RATE:g}…{MAX_RATE:g}; 1 changes nothing",
        )
    begin_s, end_s = placement.from_s, placement.to_s
    if begin_s is not None and end_s is not None and not begin_s < end_s:
        span = f"to {float(end_s):g} s is not after from {float(begin_s):g} s"
        yield "to", f"{span}, and nothing would be heard; give a later one"


def _time_problem(name: str, value_s: Seconds) -> str | None:
    said = name.removesuffix("_s")
    if isinstance(value_s, float):
        return f"the {said} {value_s} is no time; write seconds, like 1.5"
    if name in _NOT_NEGATIVE and value_s < 0:
        return f"the {said} {float(value_s):g} s is before 0; give 0 or more"
    if abs(value_s) > MAX_OFFSET_S:
        sign = "" if name in _NOT_NEGATIVE else "±"
        return f"the {said} {float(value_s):g} s is beyond {sign}{MAX_OFFSET_S} s"
    return None
