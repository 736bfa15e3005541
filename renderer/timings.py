"""Where a chunk's time went: a stopwatch for the stages of a frame, and what it tells."""

from __future__ import annotations

import heapq
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

SLOWEST: Final = 5


class Stage(StrEnum):
    """A part of a frame's way. PAINT holds scripts, style and layout, too."""

    STEP = "step"  # virtual time goes on, timers fire
    HOOKS = "hooks"  # the page's own hooks, and asking it what it waits for
    PAINT = "paint"  # Chromium draws
    WAIT = "wait"  # for what the frame has asked of the network
    READ = "read"  # pixels leave the browser
    ENCODE = "encode"  # the encoder is not yet done with the frame before


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowFrame:
    """A frame, how long it took, and which stage took most of that."""

    frame: int
    seconds: float
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """A chunk's seconds, and how its pictures were taken. The stages are sums over its frames."""

    strategy: str = ""
    why: str = ""  # it was not the first choice; "" if it was
    open_s: float = 0.0  # until the page stood ready for frame 0
    approach_s: float = 0.0  # from there to the first frame that is filmed
    step_s: float = 0.0
    hooks_s: float = 0.0
    paint_s: float = 0.0
    wait_s: float = 0.0
    read_s: float = 0.0
    encode_s: float = 0.0
    finish_s: float = 0.0  # the encoder's, after the last frame
    repeated_frames: int = 0
    slowest: tuple[SlowFrame, ...] = ()

    @property
    def told_strategy(self) -> str:
        """Say how the pictures were taken, and why by no better way, if there is one."""
        return f"{self.strategy}: {self.why}" if self.why else self.strategy


class Stopwatch:
    """Measures stages, one at a time, frame after frame."""

    def __init__(self) -> None:
        self._in_frame: defaultdict[Stage, float] = defaultdict(float)
        self._sums: defaultdict[Stage, float] = defaultdict(float)
        self._slowest: list[tuple[float, int, Stage]] = []

    def reset(self) -> None:
        """Begin a chunk."""
        self._sums.clear()
        self._in_frame.clear()
        self._slowest.clear()

    @contextmanager
    def measure(self, stage: Stage) -> Generator[None]:
        began_s = time.perf_counter()
        try:
            yield
        finally:
            self._in_frame[stage] += time.perf_counter() - began_s

    def end_frame(self, frame: int) -> None:
        """Count what was measured since the last call to this frame."""
        if not self._in_frame:
            return
        total = sum(self._in_frame.values())
        stage = max(self._in_frame, key=self._in_frame.__getitem__)
        for one, seconds in self._in_frame.items():
            self._sums[one] += seconds
        self._in_frame.clear()
        heapq.heappush(self._slowest, (total, frame, stage))
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)

    @property
    def timings(self) -> Timings:
        """What was measured since the chunk began; not how its pictures were taken."""
        return Timings(
            step_s=self._sums[Stage.STEP],
            hooks_s=self._sums[Stage.HOOKS],
            paint_s=self._sums[Stage.PAINT],
            wait_s=self._sums[Stage.WAIT],
            read_s=self._sums[Stage.READ],
            encode_s=self._sums[Stage.ENCODE],
            slowest=self._slowest_frames(),
        )

    def _slowest_frames(self) -> tuple[SlowFrame, ...]:
        """The very slowest comes first."""
        return tuple(
            SlowFrame(frame=frame, seconds=seconds, stage=stage)
            for seconds, frame, stage in sorted(self._slowest, reverse=True)
        )
