"""Terms: a coordinator that has lost its lead is not obeyed any more."""

from __future__ import annotations

from typing import Final

from executors.errors import StaleTermError

MOST_JOBS: Final = 10_000


class Terms:
    """The highest term that was seen of each job, of the latest that were asked for.

    By job and not for the whole worker: terms count the leaders of one store, and a worker may
    serve the coordinators of several, or of one that was set up anew and counts from 1 again. Jobs'
    names are unique among them, and who takes the lead takes over all jobs of the store.
    """

    def __init__(self, *, most_jobs: int = MOST_JOBS) -> None:
        self._highest: dict[str, int] = {}  # the latest that were asked for come last
        self._most_jobs = most_jobs

    def check(self, job_id: str, term: int) -> None:
        """Remember the term; 0 is a caller without one.

        Raises:
            StaleTermError: a higher one was seen.

        """
        if term == 0:
            return
        highest = self._highest.pop(job_id, 0)
        self._highest[job_id] = max(highest, term)
        if len(self._highest) > self._most_jobs:
            del self._highest[next(iter(self._highest))]
        if term < highest:
            raise StaleTermError(
                f"job {job_id} is led in term {highest}: a caller of term {term} is not obeyed",
            )
