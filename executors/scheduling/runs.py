"""Runs: where in its job a worker begins, so that its page can go on from chunk to chunk.

A run is a wish, not a claim: whoever has a slot while a chunk waits gets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .board import Board
    from .chunk import Chunk
    from .jobs import Job
    from .worker import Worker

# So many chunks are left to the worker that is on its way to them. In long jobs one chunk in six
# begins with a jump then, and what is finished from the job's beginning on is late by up to the
# time of four chunks, however many workers there are (docs/decisions/0050).
LONGEST: Final = 4
# Each slot comes by about twice before the end: the last runs are short, and all end together.
_ROUNDS: Final = 2


def follower(board: Board, job: Job, first: Chunk) -> tuple[Chunk, Worker] | None:
    """A chunk, and a worker with room whose open page stands just where it begins."""
    reach = _reach(board, job, first)
    for worker, frame in board.workers.pages_from(job.id, first.offer.start):
        chunk = job.at.get(frame)
        if chunk is None or chunk.offer.index > reach or worker.fingerprint != job.fingerprint:
            continue
        if worker.address not in chunk.failed_on and board.workers.free.has_room(
            worker, chunk.cost
        ):
            return chunk, worker
    return None


def beginning(board: Board, job: Job, first: Chunk) -> Chunk:
    """The chunk for a worker that goes on from none: one to which nobody else is on the way."""
    if len(job.at) <= board.workers.room:
        return first  # all of them begin now
    reach, length = _reach(board, job, first), _length(board, job)
    head = _head(board, job)
    if head is not None and head.offer.index <= reach:
        return head
    front = job.at.get(job.front)
    if front is not None and front.offer.index <= reach:
        return _ahead(job, front, length)[-1]
    ahead = _ahead(job, first, length)
    return ahead[-1] if len(ahead) > length else first


def _head(board: Board, job: Job) -> Chunk | None:
    """The first chunk that waits behind one that does not, and that nobody comes to."""
    while (frame := job.head) is not None:
        chunk = job.at.get(frame)
        if chunk is not None and not _is_approached(board, chunk):
            return chunk
        job.drop_head()
    return None


def _is_approached(board: Board, chunk: Chunk) -> bool:
    """Whether the chunk before it is filmed now."""
    before = board.named((chunk.offer.job_id, chunk.offer.index - 1))
    if before is None or before.stop != chunk.offer.start:
        return False
    return any(not attempt.is_filmed for attempt in before.live)


def _ahead(job: Job, chunk: Chunk, length: int) -> list[Chunk]:
    """A chunk and up to `length` more that wait behind it, each where the one before it ends."""
    found = [chunk]
    while len(found) <= length and (following := job.at.get(found[-1].stop)) is not None:
        found.append(following)
    return found


def _length(board: Board, job: Job) -> int:
    """How many chunks to leave to whoever comes to them."""
    return max(1, min(LONGEST, len(job.at) // (_ROUNDS * _slots(board, job))))


def _reach(board: Board, job: Job, first: Chunk) -> int:
    """The last chunk that may begin now: as far as all slots come with a run each.

    A slow worker's run is taken over then, at the price of a page, for all wait for its chunks.
    """
    return first.offer.index + (1 + LONGEST) * _slots(board, job)


def _slots(board: Board, job: Job) -> int:
    """Those that the job has, and those that it could have."""
    slots = job.running + board.workers.room
    return max(1, min(slots, job.share.most_slots or slots))
