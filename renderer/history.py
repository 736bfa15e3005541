"""Whether a page's frames depend on earlier ones: what is compared, and what follows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .approach import APPROACH_FRAMES
from .settings import History

if TYPE_CHECKING:
    from .frames import FrameRange

# A memory shows itself early or late. The beginning is played whole; over the rest, one session
# comes by often, and others come straight from frame 0: whatever is kept of a frame differs.
PLAYED_FRAMES: Final = 150
_VISITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a page is compared with itself.

    Frames up to `played` are played. From there time jumps from one of `visits` to the next.
    Pictures are taken of all in `pictures`; those in `jumps` are also reached from frame 0 at once.
    """

    played: int
    visits: tuple[int, ...]
    pictures: tuple[int, ...]
    jumps: tuple[int, ...]


def route(frames: FrameRange) -> Route:
    """Choose what to compare of a composition whose `frames` are wanted."""
    last = frames.stop - 1
    played = min(last, PLAYED_FRAMES)
    early = [played // 3, played * 2 // 3, played]
    visits = _spread(played, last)
    jumps = {frame for frame in early[1:] if frame > APPROACH_FRAMES + 1}
    if visits:
        jumps |= {visits[len(visits) // 2], visits[-1]}
    return Route(
        played=played,
        visits=visits,
        pictures=tuple(sorted({0, *early, *visits})),
        jumps=tuple(sorted(jumps)),
    )


def _spread(played: int, last: int) -> tuple[int, ...]:
    """At most `_VISITS` frames after `played`, the last one among them, far enough apart."""
    count = min(_VISITS, (last - played) // (APPROACH_FRAMES + 1))
    return tuple(played + (last - played) * k // count for k in range(1, count + 1))


class Between(StrEnum):
    SESSIONS = "sessions"  # two browsers, both played
    WAYS = "ways"  # played, and jumped to


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A frame that shows two pictures (PNG files) where it should show one."""

    frame: int
    between: Between
    pictures: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something that the page used, which our clocks or a jump do not reach."""

    api: str
    detail: str = ""
    count: int = 1

    def __str__(self) -> str:
        return f"{self.api} {self.detail}".rstrip()


# Of some things a comparison cannot tell: whether they answer in time, and the same next time. A
# page that uses them is played.
_DOUBTFUL: Final = frozenset(
    {
        "serviceWorker", "WebSocket", "EventSource", "RTCPeerConnection", "BroadcastChannel",
        "AudioContext", "request after frame 0", "iframe of another site",
        "animation begun after frame 0",
    }
)  # fmt: skip
_ORDINARY: Final = frozenset({"request", "animation begun after frame 0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a probe has found: the frames it compared, those that differ, what the page uses."""

    frames: tuple[int, ...] = ()
    jumps: tuple[int, ...] = ()
    differences: tuple[Difference, ...] = ()
    uses: tuple[Use, ...] = ()
    obstacle: str = ""  # what went wrong when time jumped

    @property
    def history(self) -> History:
        """SEEKABLE when nothing speaks against it; a needless STATEFUL costs only time."""
        return History.STATEFUL if self.objection else History.SEEKABLE

    @property
    def objection(self) -> str:
        """Why time must not jump in this page; "" if it may."""
        if found := self.of(Between.SESSIONS):
            return f"frame {found[0].frame} is not the same in two sessions"
        if self.obstacle:
            return f"time cannot jump in the page: {self.obstacle}"
        if found := self.of(Between.WAYS):
            return f"frame {found[0].frame} depends on the frames before it"
        if doubts := [str(use) for use in self.uses if use.api in _DOUBTFUL]:
            return f"the page uses what a probe cannot see through: {', '.join(doubts)}"
        return "" if self.jumps else "no frame was compared"

    def of(self, between: Between) -> tuple[Difference, ...]:
        return tuple(row for row in self.differences if row.between is between)

    @property
    def suspects(self) -> tuple[Use, ...]:
        """What may have made sessions differ; a request too, when they do."""
        wanted = _ORDINARY if not self.of(Between.SESSIONS) else _ORDINARY - {"request"}
        return tuple(use for use in self.uses if use.api not in wanted)
