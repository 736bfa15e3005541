"""Tracks: the sounds of a job, and where on the composition's timeline they begin."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from renderer.errors import InvalidRequestError, Violation
from renderer.frames import parse_duration

MAX_VOLUME: Final = 100.0
MAX_OFFSET_S: Final = 7 * 24 * 3600
# The only demuxers that may open a user's file. Playlists (HLS, DASH, concat) are not among them:
# they could make ffmpeg read other files of this machine into the video.
SOUND_FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,caf,eac3,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,ogg,opus,tta,w64,wav,wv"
)
_OPTION: Final = re.compile(r"(?P<key>[A-Za-z_-]+)=(?P<value>.*)", re.DOTALL)
_KNOWN: Final = ("offset", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A sound file; its first sample is heard at `offset_s` of the composition's timeline.

    A negative offset cuts the sound's beginning. `volume` is a factor.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """

    source: Path
    offset_s: Fraction = Fraction(0)
    volume: float = 1.0

    def __post_init__(self) -> None:
        violations: list[Violation] = []
        if abs(self.offset_s) > MAX_OFFSET_S:
            violations.append(
                _wrong(f"the offset {float(self.offset_s):g} s is beyond ±{MAX_OFFSET_S} s")
            )
        if not (math.isfinite(self.volume) and 0 <= self.volume <= MAX_VOLUME):
            violations.append(
                _wrong(f"the volume {self.volume:g} is outside 0…{MAX_VOLUME:g}; 1 changes nothing")
            )
        if violations:
            raise InvalidRequestError(violations)


def parse_track(text: str) -> Track:
    """Read `FILE,offset=2s,volume=0.8`. Commas in the file's name are fine.

    Raises:
        InvalidRequestError: an unknown option, or a value that cannot be.

    """
    source, options = _split(text)
    if not source:
        raise InvalidRequestError([_wrong(f"{text!r} names no file; write FILE,offset=2s")])
    return Track(
        source=Path(source),
        offset_s=_offset(options.get("offset", "0")),
        volume=_volume(options.get("volume", "1")),
    )


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Take `key=value` parts off the end for as long as there are any."""
    options: dict[str, str] = {}
    while (cut := text.rpartition(","))[1] and (option := _OPTION.fullmatch(cut[2])):
        key = option["key"]
        if key not in _KNOWN:
            raise InvalidRequestError(
                [_wrong(f"{key!r} is no option of a sound; known are {', '.join(_KNOWN)}")]
            )
        if key in options:
            raise InvalidRequestError([_wrong(f"{key} is given twice in {text!r}; drop one")])
        options[key] = option["value"]
        text = cut[0]
    return text, options


def _offset(text: str) -> Fraction:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidRequestError([_wrong(f"offset: {error}")]) from error


def _volume(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidRequestError(
            [_wrong(f"volume: {text!r} is not a number; write it like 0.8")]
        ) from error


def _wrong(problem: str) -> Violation:
    return Violation("audio", problem)
