"""Progress of a job, by frames: it never falls, and ends at exactly all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .job import ProgressMade

if TYPE_CHECKING:
    from .planner import Plan


class Progress:
    """Adds up chunks. A chunk that is tried again counts again once it is further than before."""

    def __init__(self, plan: Plan) -> None:
        self._total = plan.frames_total
        self._best = [0] * len(plan.tasks)
        self._length = [len(task.frames) for task in plan.tasks]
        self._done = 0

    def at(self, index: int, done: int) -> ProgressMade | None:
        """Note that `done` frames of a chunk are captured; what it makes of the whole, if news."""
        gain = min(done, self._length[index]) - self._best[index]
        if gain <= 0:
            return None
        self._best[index] += gain
        self._done += gain
        return ProgressMade(self._done, self._total)

    def finished(self, index: int) -> ProgressMade | None:
        """Note that a chunk is whole."""
        return self.at(index, self._length[index])
