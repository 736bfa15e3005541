"""Clips: what of which sound is heard in which samples of the mix, and how loud. Pure.

Sample 0 of the mix is the time of the first frame; the mix is as long as the frames are shown.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from renderer.frames import FrameRange, FrameRate

    from .tracks import Track

SAMPLE_RATE: Final = 48_000
CHANNELS: Final = 2

Gains = tuple[tuple[int, float], ...]
_PLAIN: Final[Gains] = ((0, 1.0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the timeline that is mixed."""

    start_s: Fraction
    samples: int

    @classmethod
    def of(cls, frames: FrameRange, rate: FrameRate) -> Self:
        """As long as the frames are shown, to the sample."""
        return cls(
            start_s=rate.seconds(frames.start),
            samples=round(SAMPLE_RATE * rate.seconds(len(frames))),
        )

    def sample_at(self, time_s: Fraction) -> int:
        return round(SAMPLE_RATE * (time_s - self.start_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A stretch of one source that is heard without a break, in the mix's samples [begins, stop).

    It may reach beyond the mix on both sides. `position_s` is the source's time that is heard at
    `begins`. One that `loops` begins anew after `loop_s`, or where the source itself ends. `gains`
    are points of a curve: straight between two of them, level before the first and after the last.
    """

    source: Path
    begins: int
    stop: int
    position_s: Fraction
    rate: Fraction = Fraction(1)
    keeps_pitch: bool = True
    loops: bool = False
    loop_s: Fraction | None = None
    fade_in: int = 0
    fade_out: int = 0
    gains: Gains = _PLAIN

    def needed_s(self, window: Window) -> Fraction:
        """How much of the source is heard at most, from its beginning on."""
        heard = min(self.stop, window.samples) - self.begins
        return self.position_s + max(0, heard) * self.rate / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Voice:
    """What is heard of a clip in the mix: samples [start, stop), at the curve of `gains`."""

    clip: Clip
    start: int
    stop: int
    gains: Gains

    @property
    def first_s(self) -> Fraction:
        """The source's time at `start`, as if it had been looped end to end."""
        clip = self.clip
        return clip.position_s + (self.start - clip.begins) * clip.rate / SAMPLE_RATE

    @property
    def is_plain(self) -> bool:
        return all(gain == 1 for _, gain in self.gains)


def clip_of(track: Track, window: Window) -> Clip:
    """Place a track: it is heard from its offset on, or later, and never before time 0."""
    offset_s = Fraction(track.offset_s)
    begins_s = max(offset_s, Fraction(track.from_s or 0), Fraction(0))
    rate = Fraction(str(track.rate))
    ends = window.samples if track.to_s is None else window.sample_at(Fraction(track.to_s))
    return Clip(
        source=track.source,
        begins=window.sample_at(begins_s),
        stop=min(ends, window.samples),
        position_s=Fraction(track.seek_s) + rate * (begins_s - offset_s),
        rate=rate,
        loops=track.loop,
        fade_in=round(SAMPLE_RATE * track.fade_in_s),
        fade_out=round(SAMPLE_RATE * track.fade_out_s),
        gains=((0, track.volume),),
    )


def heard(clip: Clip, source_samples: int, window: Window) -> Voice | None:
    """What is heard of a clip whose source has so many samples."""
    stop = min(clip.stop, window.samples)
    if not clip.loops:
        left_s = Fraction(source_samples, SAMPLE_RATE) - clip.position_s
        stop = min(stop, clip.begins + round(SAMPLE_RATE * left_s / clip.rate))
    start = max(clip.begins, 0)
    if start >= stop or not source_samples:
        return None
    return Voice(clip, start, stop, _curve(clip, stop))


def part_of(voice: Voice, samples: range) -> Voice | None:
    """What of a voice is heard in some samples of the mix, which are counted from their first."""
    start, stop = max(voice.start, samples.start), min(voice.stop, samples.stop)
    if start >= stop:
        return None
    earlier, clip = samples.start, voice.clip
    moved = replace(clip, begins=clip.begins - earlier, stop=clip.stop - earlier)
    gains = tuple((at - earlier, level) for at, level in voice.gains)
    return Voice(moved, start - earlier, stop - earlier, gains)


def slices(
    first: int, count: int, source_samples: int, *, round_samples: Fraction | None
) -> Iterator[tuple[int | None, int]]:
    """The stretches of a source, as (first sample, count), that make up a longer one.

    None for a first sample is silence. Rounds of a loop begin at the nearest sample each, so that
    their rounding does not add up.
    """
    if round_samples is None:
        yield from _within(first, first + count, source_samples)
        return
    at, stop = first, first + count
    turn = int(at // round_samples)
    while at < stop:
        begin, end = round(turn * round_samples), round((turn + 1) * round_samples)
        if end > at:
            yield from _within(at - begin, min(stop, end) - begin, source_samples)
            at = min(stop, end)
        turn += 1


def lanes(voices: Iterable[Voice]) -> list[list[Voice]]:
    """Sort voices into as few lanes as they need, such that in a lane no two sound at once."""
    found: list[list[Voice]] = []
    for voice in sorted(voices, key=lambda voice: (voice.start, voice.stop)):
        lane = next((lane for lane in found if lane[-1].stop <= voice.start), None)
        if lane is None:
            found.append(lane := [])
        lane.append(voice)
    return found


def level_at(points: Sequence[tuple[int, float]], sample: int) -> float:
    """The height of a curve at a sample."""
    after = bisect_right(points, sample, key=lambda point: point[0])
    if after == 0:
        return points[0][1]
    if after == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[after - 1], points[after]
    return low + (high - low) * (sample - left) / (right - left)


def _within(first: int, stop: int, source_samples: int) -> Iterator[tuple[int | None, int]]:
    held = max(0, min(stop, source_samples) - first)
    if held:
        yield first, held
    if stop - first > held:
        yield None, stop - first - held


def _curve(clip: Clip, stop: int) -> Gains:
    """The clip's gains and fades as one curve."""
    fades: list[Gains] = []
    if clip.fade_in:
        fades.append(((clip.begins, 0.0), (clip.begins + clip.fade_in, 1.0)))
    if clip.fade_out:
        fades.append(((stop - clip.fade_out, 1.0), (stop, 0.0)))
    if not fades:
        return clip.gains
    at = sorted({sample for curve in (clip.gains, *fades) for sample, _ in curve})
    return tuple((sample, _product(sample, (clip.gains, *fades))) for sample in at)


def _product(sample: int, curves: Sequence[Gains]) -> float:
    level = 1.0
    for curve in curves:
        level *= level_at(curve, sample)
    return level
