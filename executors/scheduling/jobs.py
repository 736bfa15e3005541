"""Jobs: whose chunk is next."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from executors.base import Share

    from .chunk import Chunk
    from .values import Offer

# How long a frame takes is learned from so many chunks.
_REMEMBERED: Final = 32


@dataclass(eq=False, slots=True)
class Job:
    """A job with chunks that wait or run. It stays with workers of one fingerprint."""

    id: str
    share: Share
    arrival: int
    hopeful_at_s: float
    open: int = 0  # chunks
    running: int = 0  # slots
    filmed: int = 0  # attempts that have none any more
    fingerprint: str = ""
    waiting: list[tuple[bool, int, int, Chunk]] = field(default_factory=list)
    at: dict[int, Chunk] = field(default_factory=dict)  # those that wait, by their first frame
    heads: list[int] = field(default_factory=list)  # first frames to which nobody may be under way
    front: int = 0  # the frame after the furthest chunk that was begun
    waits: int = 0  # counted, so that no two entries are alike
    frame_s: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @property
    def is_full(self) -> bool:
        return self.share.most_slots is not None and self.running >= self.share.most_slots

    @property
    def typical_frame_s(self) -> float | None:
        """What a frame takes, start-up included; None as long as no chunk is done."""
        return sorted(self.frame_s)[len(self.frame_s) // 2] if self.frame_s else None

    def first(self) -> Chunk | None:
        """The chunk that waits longest; one that was interrupted goes before all others."""
        while self.waiting and not self.waiting[0][-1].is_waiting:
            heappop(self.waiting)  # it was withdrawn, or taken up
        return self.waiting[0][-1] if self.waiting else None

    def take(self, chunk: Chunk) -> None:
        """The chunk waits no more."""
        chunk.is_waiting = False
        if self.at.get(chunk.offer.start) is chunk:
            del self.at[chunk.offer.start]

    def wait(self, chunk: Chunk, *, was_interrupted: bool) -> None:
        chunk.is_waiting = True
        self.at[chunk.offer.start] = chunk
        self.waits += 1
        heappush(self.waiting, (not was_interrupted, chunk.offer.number, self.waits, chunk))

    @property
    def head(self) -> int | None:
        """The first of the frames to which nobody may be under way."""
        return self.heads[0] if self.heads else None

    def drop_head(self) -> None:
        heappop(self.heads)

    def leave(self, frame: int) -> None:
        """Nobody is on the way to a frame any more; a chunk may wait there."""
        if frame in self.at:
            heappush(self.heads, frame)


class Jobs:
    """The jobs of now.

    Those of a higher priority come first. Of one priority, the user is next who has the fewest
    slots; of that user, the job that has the fewest for its weight.
    """

    def __init__(self, *, user_slots: int | None = None) -> None:
        self._user_slots = user_slots
        self._known: dict[str, Job] = {}
        self._running: Counter[str] = Counter()  # slots, by user
        self._arrivals = 0
        self.paused: set[str] = set()

    def __iter__(self) -> Iterator[Job]:
        return iter(self._known.values())

    def of(self, chunk: Chunk) -> Job:
        return self._known[chunk.offer.job_id]

    def open(self, offer: Offer, now_s: float) -> Job:
        """The job of an offer, which has one more chunk now."""
        job = self._known.get(offer.job_id)
        if job is None:
            self._arrivals += 1
            job = Job(
                id=offer.job_id,
                share=offer.share,
                arrival=self._arrivals,
                hopeful_at_s=now_s,
                fingerprint=offer.fits,
            )
            self._known[offer.job_id] = job
        job.open += 1
        return job

    def close(self, chunk: Chunk) -> None:
        """A chunk of the job is over, and has no slot any more."""
        job = self.of(chunk)
        job.open -= 1
        if not job.open:
            del self._known[job.id]

    def hold(self, job: Job, slots: int) -> None:
        """Note that the job has so many slots more, or less."""
        job.running += slots
        self._running[job.share.user] += slots
        if not self._running[job.share.user]:
            del self._running[job.share.user]

    def next(self, *, without: Collection[str]) -> Job | None:
        """The job whose chunk comes next, but for those that cannot be served now."""
        ready = (
            job
            for job in self._known.values()
            if job.id not in without and self.may_run(job) and job.first() is not None
        )
        return min(ready, key=self._place, default=None)

    def may_run(self, job: Job) -> bool:
        """Whether one more of its chunks may begin."""
        running = self._running[job.share.user]
        is_over = self._user_slots is not None and running >= self._user_slots
        return not (job.id in self.paused or job.is_full or is_over)

    def _place(self, job: Job) -> tuple[int, int, float, int]:
        share = job.share
        return (
            -share.priority,
            self._running[share.user],
            job.running / share.weight,
            job.arrival,
        )
