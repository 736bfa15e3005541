"""What chunks tell of a page's sound → the passages of the whole job, and their clips. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from .clips import SAMPLE_RATE, Clip
from .passages import NANO, Passage, Told, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from renderer.frames import FrameRange, FrameRate

    from .clips import Gains, Window
    from .passages import SoundReport, SoundSource

# Times are told in nanoseconds, rounded from a page's doubles.
_TOLERANCE_NS: Final = 1_000
# A volume that is set once is reached in so many samples, and does not click.
_STEP_SAMPLES: Final = SAMPLE_RATE // 200
_NEAR: Final = Fraction(3, 2)  # of a frame: as far as a neighbour may be


@dataclass(frozen=True, slots=True)
class Tear:
    """A seam where two chunks do not agree on what is heard."""

    frame: int
    name: str
    problem: str

    def __str__(self) -> str:
        return f"sound {self.name}: at frame {self.frame} it {self.problem}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard in a whole job."""

    passages: tuple[Passage, ...] = ()
    sources: tuple[SoundSource, ...] = ()
    tears: tuple[Tear, ...] = ()
    problems: tuple[str, ...] = ()


def merged(reports: Sequence[tuple[FrameRange, SoundReport | None]], rate: FrameRate) -> Heard:
    """Join what chunks tell, in their order. One that tells nothing (None) changes nothing.

    A chunk knows what happens up to its last frame's time; what happens after that, and before the
    next chunk's first frame, is that chunk's to tell. The last chunk tells all up to the end.
    """
    merge = _Merge(rate)
    for index, (frames, report) in enumerate(reports, start=1):
        known = frames.stop if index == len(reports) else frames.stop - 1
        if report is not None:
            merge.add(report, start=frames.start, known=known)
    sources = {source.sha256: source for _, told in reports if told for source in told.sources}
    audible = tuple(one.whole for one in merge.all if one.whole.is_heard)
    wanted = {passage.source for passage in audible}
    problems = dict.fromkeys(text for _, told in reports if told for text in told.problems)
    return Heard(
        problems=tuple(problems),
        passages=audible,
        sources=tuple(source for sha256, source in sources.items() if sha256 in wanted),
        tears=tuple(
            Tear(frame, sources[told.first.source].name, problem)
            for frame, told, problem in merge.tears
            if told.whole.is_heard
        ),
    )


class _Merge:
    def __init__(self, rate: FrameRate) -> None:
        self.all: list[Told] = []
        self.tears: list[tuple[int, Told, str]] = []
        self._rate = rate
        self._open: list[Told] = []
        self._seam_ns: int | None = None  # up to here all is told

    def add(self, report: SoundReport, *, start: int, known: int) -> None:
        """Add what a chunk tells that begins at frame `start`, up to the time of frame `known`."""
        until_ns = self._time_ns(known)
        left, self._open = self._open, []
        for passage in report.passages:
            if passage.begins_ns > until_ns:
                continue
            if not self._is_over(passage):
                told = _taken(passage, left)
                self._tell(told or self._new(passage, start), passage, until_ns)
            elif self._ends_at_seam(passage) and (told := _taken(passage, left)) is not None:
                told.end(passage)
        for told in left:
            told.until_ns = self._seam_ns
            self.tears.append((start, told, "ends in one chunk, and goes on in another"))
        self._seam_ns = until_ns

    def _time_ns(self, frame: int) -> int:
        return round(self._rate.seconds(frame) * NANO) + _TOLERANCE_NS

    def _is_over(self, passage: Passage) -> bool:
        ended_ns = None if passage.is_whole else passage.until_ns
        return ended_ns is not None and self._seam_ns is not None and ended_ns <= self._seam_ns

    def _ends_at_seam(self, passage: Passage) -> bool:
        """Whether it ends there by a hair's breadth: the chunk before may think it goes on."""
        assert self._seam_ns is not None
        assert passage.until_ns is not None
        return self._seam_ns - passage.until_ns <= 2 * _TOLERANCE_NS

    def _new(self, passage: Passage, frame: int) -> Told:
        told = Told(passage)
        seam_ns = None if passage.is_whole else self._seam_ns
        if seam_ns is not None and passage.begins_ns <= seam_ns:
            told.begins_ns = seam_ns
            self.tears.append((frame, told, "has begun before, where it was not heard"))
        self.all.append(told)
        return told

    def _tell(self, told: Told, passage: Passage, until_ns: int) -> None:
        for at_ns, factor in passage.volumes:
            if at_ns <= until_ns and (not told.volumes or told.volumes[-1][1] != factor):
                told.volumes.append((at_ns, factor))
        if passage.until_ns is not None and passage.until_ns <= until_ns:
            told.end(passage)
        else:
            told.fade_out_ns = passage.fade_out_ns
            self._open.append(told)


def _taken(passage: Passage, left: list[Told]) -> Told | None:
    """The open passage that this one is a part of; it is open no more."""
    known = next((told for told in left if told.first.line == passage.line), None)
    if known is not None:
        left.remove(known)
    return known


def clip_of_passage(
    passage: Passage, source: Path, duration_s: Fraction, window: Window, frame_s: Fraction
) -> Clip:
    """Place a passage in the mix. `frame_s` is how long a frame is shown."""
    rate = Fraction(str(passage.rate))
    begins_s, since_s = seconds(passage.begins_ns), seconds(passage.since_ns)
    ends = window.samples
    if passage.until_ns is not None:
        ends = min(ends, window.sample_at(seconds(passage.until_ns)))
    return Clip(
        source=source,
        begins=window.sample_at(begins_s),
        stop=ends,
        position_s=seconds(passage.from_ns) + rate * (begins_s - since_s),
        rate=rate,
        keeps_pitch=passage.keeps_pitch,
        loops=passage.loops,
        loop_s=duration_s if passage.loops and duration_s > 0 else None,
        fade_in=round(SAMPLE_RATE * seconds(passage.fade_in_ns)),
        fade_out=round(SAMPLE_RATE * seconds(passage.fade_out_ns)),
        gains=_gains(passage, window, frame_s),
    )


def _gains(passage: Passage, window: Window, frame_s: Fraction) -> Gains:
    """A volume that changes in neighbouring frames runs straight between them; else it steps."""
    frame = round(SAMPLE_RATE * frame_s)
    changes = [(window.sample_at(seconds(at)), factor) for at, factor in passage.volumes]
    points = [changes[0]]
    for index, (at, factor) in enumerate(changes[1:], start=1):
        before = at - changes[index - 1][0] if index > 1 else None
        after = changes[index + 1][0] - at if index + 1 < len(changes) else None
        if before is not None and before <= frame * _NEAR:
            points.append((at, factor))
        elif after is not None and after <= frame * _NEAR:
            points += [(max(at - frame, points[-1][0]), points[-1][1]), (at, factor)]
        else:
            points += [(at, points[-1][1]), (at + _STEP_SAMPLES, factor)]
    return _ascending(points)


def _ascending(points: Iterable[tuple[int, float]]) -> Gains:
    found: list[tuple[int, float]] = []
    for at, factor in points:
        while found and found[-1][0] >= at:
            found.pop()
        found.append((at, factor))
    return tuple(found)
