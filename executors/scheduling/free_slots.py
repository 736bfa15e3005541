"""FreeSlots: the workers that have room, the least loaded first, in time that hardly grows."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .worker import Worker

_Key = tuple[str, str]  # fingerprint, digest of a bundle that is there; "" for all workers
_Entry = tuple[float, str, int]  # load, address, version

# A heap that holds many more void entries than workers is made anew.
_SLACK = 4


class FreeSlots:
    """An index of workers. An entry is void once its worker has changed; nobody looks for it."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._heaps: dict[_Key, list[_Entry]] = {}
        self._addresses: set[str] = set()
        self._changes = 0  # of all workers: an address that is forgotten may be known again

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def put(self, worker: Worker) -> None:
        """Note that the worker has changed."""
        self._void(worker)
        if worker.free <= 0 or worker.rests_until_s > 0:
            self._addresses.discard(worker.address)
            return
        self._addresses.add(worker.address)
        for digest in ("", *worker.digests):
            self._push((worker.fingerprint, digest), worker)

    def drop(self, worker: Worker) -> None:
        self._void(worker)
        self._addresses.discard(worker.address)

    def has_room(self, worker: Worker, slots: int) -> bool:
        """Whether so many slots are free there; all of them are enough."""
        return worker.address in self._addresses and worker.free >= min(slots, worker.slots)

    def fingerprints(self) -> set[str]:
        """Of the workers that have room."""
        return {
            fingerprint
            for fingerprint, digest in tuple(self._heaps)  # which a look may shorten
            if not digest and self._best((fingerprint, ""), ()) is not None
        }

    def best(
        self, fingerprint: str, *, digest: str | None, avoid: Collection[str], room: int
    ) -> Worker | None:
        """The least loaded worker that holds the bundle; else the least loaded of all."""
        for key in ((fingerprint, digest or ""), (fingerprint, "")):
            if (worker := self._best(key, avoid, room)) is not None:
                return worker
        return None

    def _void(self, worker: Worker) -> None:
        self._changes += 1
        worker.version = self._changes

    def _push(self, key: _Key, worker: Worker) -> None:
        heap = self._heaps.setdefault(key, [])
        heappush(heap, (worker.load, worker.address, worker.version))
        if len(heap) > _SLACK * (len(self._workers) + _SLACK):
            heap[:] = [entry for entry in heap if self._is_true(entry)]
            heapify(heap)

    def _best(self, key: _Key, avoid: Collection[str], room: int = 1) -> Worker | None:
        heap = self._heaps.get(key, [])
        aside: list[_Entry] = []
        found = None
        while heap and found is None:
            entry = heap[0]
            worker = self._workers.get(entry[1])
            if worker is None or not self._is_true(entry):
                heappop(heap)
            elif worker.address in avoid or not self.has_room(worker, room):
                aside.append(heappop(heap))
            else:
                found = worker
        for entry in aside:
            heappush(heap, entry)
        if not heap:
            self._heaps.pop(key, None)
        return found

    def _is_true(self, entry: _Entry) -> bool:
        _, address, version = entry
        worker = self._workers.get(address)
        return worker is not None and address in self._addresses and worker.version == version
