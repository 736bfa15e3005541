"""Audit: the scheduler's own books, compared with what was seen from outside."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from executors.retry import Budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from executors.scheduling.board import Board
    from executors.scheduling.chunk import Chunk
    from executors.scheduling.jobs import Job

    from .reign import Reign
    from .watch import Watch


def audit(reign: Reign, watch: Watch) -> None:
    """Look at every chunk, job and worker of a coordinator; tell the watch what does not add up."""
    board = reign.fleet._scheduler._board
    for rule, problem in _problems(board, watch):
        watch.broken(rule, f"{reign.process.name}: {problem}")


def _problems(board: Board, watch: Watch) -> Iterator[tuple[str, str]]:
    leased, running, filmed = Counter[str](), Counter[str](), Counter[str]()
    for chunk in board.chunks.values():
        yield from _budget_problems(chunk, watch)
        yield from _place_problems(chunk)
        for attempt in chunk.attempts.values():
            leased[attempt.worker] += attempt.slots
            running[chunk.offer.job_id] += attempt.slots
            filmed[attempt.worker] += attempt.is_filmed
            filmed[chunk.offer.job_id] += attempt.is_filmed
    for worker in board.workers:
        if worker.leased != leased[worker.address]:
            told = f"{worker.leased} slots are leased, attempts hold {leased[worker.address]}"
            yield "accounts", f"of {worker.address} {told}"
        if worker.filmed != filmed[worker.address]:
            told = f"{worker.filmed} are filmed, of its attempts {filmed[worker.address]}"
            yield "accounts", f"of {worker.address} {told}"
    for job in board.jobs:
        yield from _job_problems(job, running[job.id])
        if job.filmed != filmed[job.id]:
            yield "accounts", f"of {job.id} {job.filmed} are filmed, not {filmed[job.id]}"


def _place_problems(chunk: Chunk) -> Iterator[tuple[str, str]]:
    if not (chunk.is_waiting or chunk.live or chunk.adrift or chunk.is_closed):
        yield "accounts", f"{_name(chunk)} is neither waiting, running, adrift nor over"


def _job_problems(job: Job, running: int) -> Iterator[tuple[str, str]]:
    if job.running != running:
        yield "accounts", f"{job.id} has {job.running} slots, its attempts {running}"
    most = job.share.most_slots
    if most is not None and job.running > most:
        yield "slots", f"{job.id} runs in {job.running} slots, and may have {most}"


def _budget_problems(chunk: Chunk, watch: Watch) -> Iterator[tuple[str, str]]:
    account = watch.chunks.get((chunk.offer.job_id, chunk.offer.index))
    failed = account.failures if account else 0
    spent = Budget().attempts - chunk.budget.attempts
    if spent > failed:
        yield "fair-failure", f"{_name(chunk)} has spent {spent} attempts, and {failed} have failed"


def _name(chunk: Chunk) -> str:
    return f"chunk {chunk.offer.job_id}/{chunk.offer.index}"
