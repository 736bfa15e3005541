"""Places: what coordinators have heard of workers, seen from outside, and may do with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from executors.errors import (
    ChunkDamagedError,
    ChunkStalledError,
    RenderCrashedError,
    Retry,
    WorkerUnfitError,
)
from executors.worker_port import Token, WorkerReport

if TYPE_CHECKING:
    from .fake_worker import Line

# What counts against a worker, and for how long it rests after so many in a row: said once more.
_FAULTS: Final = (ChunkStalledError, RenderCrashedError, ChunkDamagedError)
_STRIKES: Final = 3
_REST_S: Final = 29.0
# As long as a job waits for workers of its own engine, less what it takes to hear of one.
_STAYS_S: Final = 25.0
_LOOKS: Final = 3

Key = tuple[int, str]  # a process, an address


@dataclass(eq=False, slots=True)
class Place:
    """A worker as a coordinator knows it."""

    report: WorkerReport | None = None
    open: int = 0  # calls
    filmed: set[tuple[str, int, Token]] = field(default_factory=set)  # of those calls
    strikes: int = 0
    rests_until_s: float = 0.0
    is_unfit: bool = False
    looks: deque[float] = field(default_factory=lambda: deque(maxlen=_LOOKS))  # times, serving

    def forget(self) -> None:
        """It has left, or is silent: whoever comes back there is somebody else."""
        self.strikes, self.rests_until_s, self.is_unfit = 0, 0.0, False
        self.looks.clear()

    def has_told_filmed(self, name: tuple[str, int, Token]) -> bool:
        """Whether its worker has said of an attempt that it has no slot."""
        return self.report is not None and any(
            (row.job_id, row.index, row.token) == name
            for row in self.report.attempts
            if row.is_filmed
        )

    def serves(self, now_s: float) -> bool:
        """Whether it is there for sure, and has been."""
        is_there = len(self.looks) == _LOOKS and now_s - self.looks[0] < _STAYS_S
        return is_there and not self.is_unfit


class Places:
    """All places, by process and address."""

    def __init__(self) -> None:
        self._places: dict[Key, Place] = {}

    def of(self, line: Line) -> Place:
        return self._places.setdefault((id(line.process), line.address), Place())

    def all(self) -> Iterator[tuple[Key, Place]]:
        return iter(self._places.items())

    def reported(self, line: Line, report: WorkerReport, now_s: float, *, is_listed: bool) -> None:
        place = self.of(line)
        before = place.report
        place.report = report
        is_other = before is not None and before.instance != report.instance
        if not is_listed or report.is_draining or is_other:
            place.forget()
        else:
            place.looks.append(now_s)

    def ended(self, line: Line, error: BaseException | None, now_s: float) -> None:
        """Count failures in a row: after the third a worker rests, if it is not alone."""
        place = self.of(line)
        if error is None:
            place.strikes = 0
        elif isinstance(error, WorkerUnfitError):
            place.is_unfit = True
        elif getattr(error, "retry", None) in (Retry.INTERRUPTION, Retry.FREE):
            place.looks.clear()  # nobody knows until it has answered again
        elif isinstance(error, _FAULTS) and self._has_others(line, place, now_s):
            place.strikes += 1
            if place.strikes >= _STRIKES:
                place.strikes, place.rests_until_s = 0, now_s + _REST_S

    def serving(self, process: object, fingerprint: str, now_s: float) -> list[str]:
        """Addresses at which a process has workers of an engine, for sure."""
        return [
            address
            for (of, address), place in self._places.items()
            if of == id(process)
            and place.report is not None
            and place.report.fingerprint == fingerprint
            and place.serves(now_s)
        ]

    def _has_others(self, line: Line, place: Place, now_s: float) -> bool:
        assert place.report is not None
        alike = self.serving(line.process, place.report.fingerprint, now_s)
        return bool(set(alike) - {line.address})
