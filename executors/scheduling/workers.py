"""Workers: all that are known, and who of them takes a chunk."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from typing import TYPE_CHECKING, Final

from executors.base import WarmPage

from .free_slots import FreeSlots
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from executors.worker_port import ReportedAttempt, WorkerReport

    from .chunk import Attempt, Chunk

_Page = tuple[int, str]  # from frame, address
_PAST_ALL: Final = "\U0010ffff"
# A page whose next chunk waits is among the first, but where many workers have nothing to do.
_PAGES_LOOKED_AT: Final = 16


class Workers:
    """What is known of each worker, and indexes of it that every change goes through."""

    def __init__(self) -> None:
        self._known: dict[str, Worker] = {}
        self.free = FreeSlots(self._known)
        self._serving: Counter[str] = Counter()  # workers, by fingerprint
        self._pages: dict[str, list[_Page]] = {}  # by job
        self._begun: dict[tuple[str, int], str] = {}  # by others than us, and where
        self._resting: set[str] = set()
        self._room: dict[str, int] = {}  # free slots, by address
        self.room = 0  # of all workers together

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._known.values())

    def get(self, address: str) -> Worker | None:
        return self._known.get(address)

    def find(self, address: str) -> None:
        worker = self._known.setdefault(address, Worker(address))
        self._leave(worker)
        worker.has_left = False
        self._enter(worker)

    def leave(self, address: str) -> None:
        """Take no chunks from now on; forget the worker once nothing of ours runs there."""
        worker = self._known[address]
        self._leave(worker)
        worker.has_left = True
        self._enter(worker)
        self._forget(worker)

    def tell(self, address: str, report: WorkerReport) -> None:
        worker = self._known[address]
        self._leave(worker)
        worker.hear(report)
        worker.pages = list(report.warm_pages)
        self._enter(worker)

    def fall_silent(self, address: str, problem: str, now_s: float) -> None:
        worker = self._known[address]
        self._leave(worker)
        worker.fell_silent(problem, now_s)
        self._enter(worker)

    def rest(self, worker: Worker, problem: str, until_s: float) -> None:
        """Take no chunks until the worker has answered, and not before `until_s`."""
        self._leave(worker)
        worker.rest(problem)
        worker.rests_until_s = max(worker.rests_until_s, until_s)
        self._resting.add(worker.address)
        self._enter(worker)

    def retire(self, worker: Worker, why: str) -> None:
        """Take no chunks until whoever is there has started anew."""
        self._leave(worker)
        worker.unfit = why
        self._enter(worker)

    def strike(self, worker: Worker, now_s: float) -> None:
        """Note a failure. A worker with many rests, if there is another one."""
        self._leave(worker)
        is_alone = not self._serving[worker.fingerprint]
        if not is_alone and worker.strike(now_s):
            self._resting.add(worker.address)
        self._enter(worker)

    def wake(self, now_s: float) -> None:
        """Let those work again whose rest is over."""
        for address in sorted(self._resting):
            worker = self._known.get(address)
            if worker is None or worker.rests_until_s <= now_s:
                self._resting.discard(address)
                if worker is not None:
                    self._leave(worker)
                    worker.rests_until_s = 0.0
                    self._enter(worker)

    def lease(self, worker: Worker, chunk: Chunk, attempt: Attempt) -> None:
        """A chunk goes there, and will use the open page that is nearest, if there is one."""
        self._leave(worker)
        worker.leased += attempt.slots
        worker.filmed += attempt.is_filmed
        worker.ours[(*chunk.name, attempt.token)] = False
        if before := worker.attempts.pop(chunk.name, None):  # this one, or one that gives way
            worker.elsewhere = max(0, worker.elsewhere - (not before.is_filmed))
            worker.filmed_elsewhere = max(0, worker.filmed_elsewhere - before.is_filmed)
        if chunk.offer.digest:
            worker.hold(chunk.offer.digest)
        page = max(
            (page for page in worker.pages if _reaches(page, chunk)),
            key=lambda page: page.from_frame,
            default=None,
        )
        if page is not None and not attempt.is_filmed:
            worker.pages.remove(page)
        self._enter(worker)

    def film(self, worker: Worker, chunk: Chunk, attempt: Attempt) -> None:
        """The attempt's slot and page are free, and the attempt goes on."""
        self._leave(worker)
        worker.leased -= attempt.slots
        worker.filmed += 1
        self._open_page(worker, chunk)
        self._enter(worker)

    def release(self, worker: Worker, chunk: Chunk, attempt: Attempt, *, is_lost: bool) -> None:
        """The attempt is not there any more. One that `is_lost` may run there nevertheless."""
        self._leave(worker)
        worker.leased -= attempt.slots
        worker.filmed -= attempt.is_filmed
        worker.ours[(*chunk.name, attempt.token)] = True
        if is_lost:
            del worker.ours[(*chunk.name, attempt.token)]
        self._enter(worker)
        self._forget(worker)

    def acquit(self, worker: Worker, chunk: Chunk, attempt: Attempt) -> None:
        """The worker has rendered the chunk."""
        self._leave(worker)
        worker.acquit()
        if not attempt.is_filmed:
            self._open_page(worker, chunk)
        self._enter(worker)

    def begun(self, name: tuple[str, int]) -> tuple[Worker, ReportedAttempt] | None:
        """Where an attempt at the chunk runs that is not ours, if anywhere."""
        address = self._begun.get(name)
        if address is None:
            return None
        worker = self._known[address]
        return worker, worker.attempts[name]

    def serving(self, fingerprint: str) -> int:
        """How many workers of a fingerprint may get chunks; of any, for ""."""
        return self._serving[fingerprint] if fingerprint else self._serving.total()

    def pages_from(self, job_id: str, frame: int) -> Iterator[tuple[Worker, int]]:
        """The first open pages of a job that stand at a frame or after it, and where."""
        pages = self._pages.get(job_id, [])
        place = bisect_left(pages, (frame, ""))
        for each, address in pages[place : place + _PAGES_LOOKED_AT]:
            yield self._known[address], each

    def pick(self, chunk: Chunk, fingerprint: str) -> Worker | None:
        """Choose the worker for a chunk, or None when it must wait.

        A worker that has failed it gets it again only where no other one is. Among the others: one
        whose page is open and near, then one that holds the composition, then the least loaded,
        then by address, so that the choice is the same for the same values.
        """
        fingerprint = fingerprint or self._largest()
        avoid = self._avoided(chunk, fingerprint)
        return self._nearest(chunk, fingerprint, avoid) or self.free.best(
            fingerprint, digest=chunk.offer.digest, avoid=avoid, room=chunk.cost
        )

    def _largest(self) -> str:
        """The fingerprint that most workers have, of those with room."""
        found = self.free.fingerprints()
        return min(found, key=lambda each: (-self._serving[each], each), default="")

    def _avoided(self, chunk: Chunk, fingerprint: str) -> Collection[str]:
        busy = {attempt.worker for attempt in chunk.attempts.values()}
        bad = {
            address
            for address in chunk.failed_on
            if (worker := self._known.get(address))
            and worker.is_serving
            and worker.fingerprint == fingerprint
        }
        return busy | bad if len(bad) < self._serving[fingerprint] else busy

    def _nearest(self, chunk: Chunk, fingerprint: str, avoid: Collection[str]) -> Worker | None:
        pages = self._pages.get(chunk.offer.job_id, [])
        for place in range(bisect_right(pages, (chunk.offer.start, _PAST_ALL)) - 1, -1, -1):
            worker = self._known[pages[place][1]]
            is_fit = worker.fingerprint == fingerprint and worker.address not in avoid
            if is_fit and self.free.has_room(worker, chunk.cost):
                return worker
        return None

    def _leave(self, worker: Worker) -> None:
        """Take the worker out of the indexes, before it changes."""
        self.free.drop(worker)
        self.room -= self._room.pop(worker.address, 0)
        if worker.is_serving:
            self._serving[worker.fingerprint] -= 1
        for name in worker.attempts:
            if self._begun.get(name) == worker.address:
                del self._begun[name]
        for page in worker.pages:
            pages = self._pages[page.job_id]
            del pages[bisect_left(pages, (page.from_frame, worker.address))]
            if not pages:
                del self._pages[page.job_id]

    def _enter(self, worker: Worker) -> None:
        self.free.put(worker)
        if self.free.has_room(worker, 1):
            self._room[worker.address] = worker.free
            self.room += worker.free
        if worker.is_serving:
            self._serving[worker.fingerprint] += 1
        for name in worker.attempts:
            self._begun[name] = worker.address
        for page in worker.pages:
            insort(self._pages.setdefault(page.job_id, []), (page.from_frame, worker.address))

    def _open_page(self, worker: Worker, chunk: Chunk) -> None:
        """The page of a chunk may stay open for the one that follows."""
        if chunk.offer.keeps_page and worker.is_serving:
            worker.pages.append(WarmPage(chunk.offer.job_id, chunk.stop))

    def _forget(self, worker: Worker) -> None:
        if worker.has_left and not worker.is_used:
            self._leave(worker)
            del self._known[worker.address]


def _reaches(page: WarmPage, chunk: Chunk) -> bool:
    return page.job_id == chunk.offer.job_id and page.from_frame <= chunk.offer.start
