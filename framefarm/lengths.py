"""How long users say that a video is: frames, or a duration. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from coordinator.spec_limits import MAX_FRAMES
from renderer.frames import FrameRange, frames_in, parse_duration

if TYPE_CHECKING:
    from renderer.frames import FrameRate

    from .problems import Problems
    from .request import RenderOptions

_SOME_FRAMES: Final = FrameRange(0, 1)


def read_frames(options: RenderOptions, rate: FrameRate, problems: Problems) -> FrameRange:
    """The frames that are wanted; some, where what is said of them is among the problems."""
    start = options.get("start_frame", 0)
    if not 0 <= start <= MAX_FRAMES:
        problems.add("start_frame", f"{start} is outside 0…{MAX_FRAMES}")
        start = 0
    match options:
        case {"frames": _, "duration": _}:
            problems.add(
                "frames", "the duration says how long the video is, too; drop one of the two"
            )
        case {"frames": count}:
            with problems.of("frames"):
                return _counted(start, count)
        case {"duration": duration}:
            with problems.of("duration"):
                return _counted(start, _frame_count(duration, rate))
        case _:
            problems.add("frames", "missing; give a number of frames, or a duration like 5s")
    return _SOME_FRAMES


def _counted(start: int, count: int) -> FrameRange:
    if not 1 <= count <= MAX_FRAMES:
        raise ValueError(f"{count} frames is outside 1…{MAX_FRAMES}")
    return FrameRange(start, start + count)


def _frame_count(duration: str | float | Fraction, rate: FrameRate) -> int:
    seconds = read_seconds(duration)
    if seconds <= 0:
        raise ValueError(f"{duration} is not longer than nothing; give a duration like 5s")
    return frames_in(seconds, rate)


def read_seconds(said: str | float | Fraction) -> Fraction:
    """Read a duration.

    Raises:
        ValueError: it is none.

    """
    # By its text: 0.1 means a tenth, and not the binary fraction beside it.
    return parse_duration(said) if isinstance(said, str) else Fraction(str(said))
