"""What a page's elements let be heard, as a worker tells it: whole nanoseconds of the timeline.

Time 0 is the composition's frame 0. Chunks of one job tell of one element in the same numbers, so
that what goes on across a seam is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Self

NANO: Final = 1_000_000_000
# Beside a chunk's file: the files that its page is heard from, each by the name of its sha256.
SOUNDS: Final = "sounds"
# A page may play what it likes; what is larger is not handed over.
MAX_SOUND_BYTES: Final = 1 << 30

Volumes = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSource:
    """A file that is heard. One that is not a file of the composition's bundle is handed over.

    `name` is its address, for people. `duration_ns` is how long an element takes it to be.
    """

    sha256: str
    name: str
    size_bytes: int
    duration_ns: int
    is_bundled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of time in which an element plays one source on, at one rate.

    The source's time `from_ns` is heard at `since_ns` of the timeline, whether the element was
    heard by then or not: it is from `begins_ns` on, up to `until_ns` (None: it goes on). `volumes`
    are factors and when each began; the first holds before that, too.
    """

    source: str
    since_ns: int
    from_ns: int
    begins_ns: int
    until_ns: int | None = None
    rate: float = 1.0
    keeps_pitch: bool = True
    loops: bool = False
    fade_in_ns: int = 0
    fade_out_ns: int = 0
    volumes: Volumes = ((0, 1.0),)
    is_whole: bool = False  # it is told once, by the job's last chunk, for all chunks

    @property
    def line(self) -> tuple[object, ...]:
        """What is the same of it in every chunk."""
        place = (self.source, self.since_ns, self.from_ns, self.begins_ns)
        return (*place, self.rate, self.keeps_pitch, self.loops, self.fade_in_ns)

    @property
    def is_heard(self) -> bool:
        return any(factor > 0 for _, factor in self.volumes) and self.rate > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundReport:
    """All that was heard in a chunk's frames, and what could not be."""

    sources: tuple[SoundSource, ...] = ()
    passages: tuple[Passage, ...] = ()
    problems: tuple[str, ...] = ()  # what is not heard, and why

    @property
    def handed_over(self) -> tuple[SoundSource, ...]:
        """The sources whose files come with the chunk."""
        return tuple(source for source in self.sources if not source.is_bundled)

    @classmethod
    def parse(cls, told: dict[str, Any]) -> Self:
        """Read what `dataclasses.asdict` wrote, and JSON kept."""
        return cls(
            sources=tuple(SoundSource(**each) for each in told["sources"]),
            passages=tuple(_passage(each) for each in told["passages"]),
            problems=tuple(told["problems"]),
        )


@dataclass(slots=True)
class Told:
    """A passage that is put together from what several chunks tell of it."""

    first: Passage
    begins_ns: int | None = None  # later than it says itself
    until_ns: int | None = None
    fade_out_ns: int = 0
    volumes: list[tuple[int, float]] = field(default_factory=list)

    def end(self, passage: Passage) -> None:
        """It ends as this part of it says."""
        self.until_ns, self.fade_out_ns = passage.until_ns, passage.fade_out_ns

    @property
    def whole(self) -> Passage:
        first = self.first
        return Passage(
            source=first.source,
            since_ns=first.since_ns,
            from_ns=first.from_ns,
            begins_ns=first.begins_ns if self.begins_ns is None else self.begins_ns,
            until_ns=self.until_ns,
            rate=first.rate,
            keeps_pitch=first.keeps_pitch,
            loops=first.loops,
            fade_in_ns=first.fade_in_ns,
            fade_out_ns=self.fade_out_ns,
            volumes=tuple(self.volumes),
        )


def seconds(nanoseconds: int) -> Fraction:
    return Fraction(nanoseconds, NANO)


def _passage(told: dict[str, Any]) -> Passage:
    facts: dict[str, Any] = {**told}
    facts["volumes"] = tuple((at, factor) for at, factor in told["volumes"])
    return Passage(**facts)
