"""Worker: what a scheduler knows of one worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from executors.base import WarmPage
    from executors.worker_port import ReportedAttempt, Token, WorkerReport

UNASKED: Final = "not asked yet"
# So many failures in a row are the worker's own, whatever the chunks were.
STRIKES: Final = 3
FIRST_REST_S: Final = 30.0
LONGEST_REST_S: Final = 600.0

# Affinity is for the jobs of now: what was brought long ago is there, but matters no more.
_DIGESTS: Final = 8

Name = tuple[str, int, "Token"]  # of an attempt: job, chunk, token


@dataclass(eq=False, slots=True)
class Worker:
    """A worker. Slots are counted here, for we are who fills them.

    `leased` are those that we have filled, and `filmed` the attempts of ours that go on without
    one; `elsewhere` and `filmed_elsewhere` are those of others. Its reports tell what others do
    there, and what an earlier coordinator began: `attempts`, by job and chunk. `ours` are the
    attempts that we know of, with whether each has ended.
    """

    address: str
    report: WorkerReport | None = None
    problem: str = UNASKED
    unfit: str = ""
    has_left: bool = False
    leased: int = 0
    filmed: int = 0
    elsewhere: int = 0
    filmed_elsewhere: int = 0
    strikes: int = 0
    rests: int = 0
    rests_until_s: float = 0.0
    silent_since_s: float | None = None
    digests: dict[str, None] = field(default_factory=dict)  # of bundles, the latest last
    pages: list[WarmPage] = field(default_factory=list)
    attempts: dict[tuple[str, int], ReportedAttempt] = field(default_factory=dict)
    ours: dict[Name, bool] = field(default_factory=dict)
    version: int = 0  # new with each change, and never given twice: what an index noted is void

    @property
    def slots(self) -> int:
        return self.report.slots if self.report else 0

    @property
    def fingerprint(self) -> str:
        return self.report.fingerprint if self.report else ""

    @property
    def is_serving(self) -> bool:
        """Whether chunks may go there, now or once a slot is free or a rest is over."""
        drains = self.report is not None and self.report.is_draining
        return not (self.problem or self.unfit or self.has_left or drains)

    @property
    def free(self) -> int:
        """Slots that a chunk could have, if the worker does not rest.

        It takes no more than two attempts a slot, with those that are filmed.
        """
        if not self.is_serving:
            return 0
        in_slots = self.leased + self.elsewhere
        attempts = in_slots + self.filmed + self.filmed_elsewhere
        return min(self.slots - in_slots, 2 * self.slots - attempts)

    @property
    def is_used(self) -> bool:
        """Whether any attempt of ours is there."""
        return self.leased > 0 or self.filmed > 0

    @property
    def load(self) -> float:
        return (self.leased + self.filmed) / max(1, self.slots)

    def hear(self, report: WorkerReport) -> None:
        """Take in what the worker says of itself."""
        if self.report is not None and report.instance != self.report.instance:
            self._forget()  # it was not asked while nobody was there
        names = {name_of(attempt): attempt for attempt in report.attempts}
        ours = self.ours.keys() & names.keys()
        self.report, self.problem, self.silent_since_s = report, "", None
        self.elsewhere = max(0, _in_slots(report) - sum(not names[n].is_filmed for n in ours))
        self.filmed_elsewhere = sum(
            row.is_filmed for name, row in names.items() if name not in ours
        )
        self.attempts = {
            (row.job_id, row.index): row for name, row in names.items() if name not in ours
        }
        # Whether a report was made before or after an end is not known: what has ended is ours in
        # one more report.
        self.ours = {name: ended for name, ended in self.ours.items() if not ended}

    def _forget(self) -> None:
        """Somebody else is there: nothing is held against it, and no bundle may be there."""
        self.unfit = ""
        self.strikes = self.rests = 0
        self.rests_until_s = 0.0
        self.digests.clear()

    def hold(self, digest: str) -> None:
        """A bundle is there, or on its way."""
        self.digests.pop(digest, None)
        self.digests[digest] = None
        while len(self.digests) > _DIGESTS:
            del self.digests[next(iter(self.digests))]

    def rest(self, problem: str) -> None:
        """Take no more chunks until the worker has answered again."""
        self.problem = problem or "unknown"
        self.digests.clear()  # it may come back with an empty disk
        self.pages = []

    def fell_silent(self, problem: str, now_s: float) -> None:
        self.rest(problem)
        self.unfit = ""  # whoever comes back there has started anew
        self.attempts = {}
        if self.silent_since_s is None:
            self.silent_since_s = now_s

    def strike(self, now_s: float) -> bool:
        """Note a failure; True when it was one too many, and the worker has to rest."""
        self.strikes += 1
        if self.strikes < STRIKES:
            return False
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2**self.rests)
        self.strikes, self.rests, self.rests_until_s = 0, self.rests + 1, now_s + rest_s
        return True

    def acquit(self) -> None:
        """It has rendered a chunk: whatever failed before was not its fault."""
        self.strikes = self.rests = 0


def _in_slots(report: WorkerReport) -> int:
    """How many slots have an attempt: what is not free is that, or too many that are filmed."""
    filmed = sum(row.is_filmed for row in report.attempts)
    return report.slots - report.free_slots - max(0, filmed - report.slots)


def name_of(attempt: ReportedAttempt) -> Name:
    return (attempt.job_id, attempt.index, attempt.token)
