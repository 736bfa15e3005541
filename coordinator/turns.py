"""Turns: which of the jobs that could begin is the next. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A job's place in its user's line: by age, which is a number that grows."""

    number: int
    job_id: str
    user: str
    priority: int


@dataclass(slots=True)
class User:
    """What decides when it is a user's turn. `served` counts beginnings of jobs, of all users."""

    jobs: int = 0
    queued: int = 0
    running: int = 0
    served: int = 0


@dataclass(slots=True)
class Turns:
    """Lines of jobs: by priority, then by user, then by age."""

    _lines: dict[int, dict[str, list[Place]]] = field(default_factory=dict)

    def put(self, place: Place) -> None:
        insort(self._lines.setdefault(place.priority, {}).setdefault(place.user, []), place)

    def take(self, place: Place) -> None:
        """Take a job out of its line, wherever it stands there."""
        users = self._lines[place.priority]
        line = users[place.user]
        del line[bisect_left(line, place)]
        if not line:
            del users[place.user]
        if not users:
            del self._lines[place.priority]

    def next(self, users: dict[str, User]) -> Place | None:
        """The job whose turn it is.

        Of the highest priority; of the user who runs fewest jobs, and among those who run as many,
        of the one whose last job began longest ago; of that user's jobs the oldest.
        """
        if not self._lines:
            return None
        lines = self._lines[max(self._lines)]
        return lines[min(lines, key=lambda name: _order(users[name], lines[name][0]))][0]


def _order(user: User, first: Place) -> tuple[int, int, int]:
    return user.running, user.served, first.number
