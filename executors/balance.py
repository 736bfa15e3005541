"""Who gets the next chunk. Pure functions over values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a chunk, which begins at frame `start`, asks of the worker that it waits for."""

    job_id: str
    digest: str | None
    start: int = 0
    avoid: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker as a dispatcher sees it."""

    address: str
    slots: int
    leased: int
    serving: bool
    fingerprint: str
    holds_bundle: bool = False
    warm_from: int | None = None  # it has the job's page open, and that can show this frame

    @property
    def has_room(self) -> bool:
        return self.serving and self.leased < self.slots


def pick(
    workers: Iterable[WorkerView], *, fingerprint: str | None, avoid: Collection[str] = ()
) -> str | None:
    """Choose the worker for a chunk, or None when the chunk must wait.

    Only workers with room and the job's fingerprint count (None: the job has none yet). Among
    them: one that has not failed this chunk, then one whose page is open and near, then one that
    holds its composition, then the least loaded by share, then by address, so that the choice is
    the same for the same values.
    """
    fit = [
        worker
        for worker in workers
        if worker.has_room and fingerprint in (None, worker.fingerprint)
    ]
    if not fit:
        return None
    best = min(
        fit,
        key=lambda worker: (
            worker.address in avoid,
            worker.warm_from is None,
            -(worker.warm_from or 0),
            not worker.holds_bundle,
            worker.leased / worker.slots,
            worker.address,
        ),
    )
    return best.address
