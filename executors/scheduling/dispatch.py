"""Dispatch: free slots to the chunks that are next, and what is left to those that are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import hedging, runs

if TYPE_CHECKING:
    from .board import Board
    from .chunk import Chunk
    from .jobs import Job
    from .worker import Worker


def dispatch(board: Board) -> None:
    """Begin chunks until no slot is free, or nothing waits that could have one."""
    stuck: set[str] = set()
    while board.workers.free and (job := board.jobs.next(without=stuck)):
        if not _serve(board, job):
            stuck.add(job.id)


def hedge(board: Board) -> None:
    """Where nothing waits, give what is slow a second attempt elsewhere."""
    if not board.workers.free or board.jobs.next(without=()) is not None:
        return
    gains = {
        number: gain for number, chunk in board.chunks.items() if (gain := _gain_s(board, chunk))
    }
    for number in sorted(gains, key=lambda each: -gains[each]):
        chunk = board.chunks[number]
        job = board.job(chunk)
        if board.jobs.may_run(job) and (worker := board.workers.pick(chunk, job.fingerprint)):
            board.start(chunk, worker)


def _serve(board: Board, job: Job) -> bool:
    """Begin a chunk of the job, if a worker with room may have one."""
    first = job.first()
    if first and _may_run_ahead(first) and (found := _next_of_a_run(board, job, first)):
        chunk, worker = found
        job.take(chunk)
        board.start(chunk, worker)
        return True
    return _serve_in_order(board, job)


def _may_run_ahead(first: Chunk) -> bool:
    """Whether others may come before it: not where it was interrupted, nor where pages are played.

    A played page that has gone too far is loaded anew and played from frame 0.
    """
    return not (first.was_begun or first.offer.is_played)


def _next_of_a_run(board: Board, job: Job, first: Chunk) -> tuple[Chunk, Worker] | None:
    if found := runs.follower(board, job, first):
        return found
    chunk = runs.beginning(board, job, first)
    worker = board.workers.pick(chunk, job.fingerprint)
    return (chunk, worker) if worker else None


def _serve_in_order(board: Board, job: Job) -> bool:
    """Begin the first chunk of the job that a worker with room may have."""
    aside: list[Chunk] = []
    worker = None
    while worker is None and (chunk := job.first()):
        worker = board.workers.pick(chunk, job.fingerprint)
        job.take(chunk)
        if worker is not None:
            board.start(chunk, worker)
        else:
            aside.append(chunk)
            if not chunk.failed_on and chunk.cost == 1:
                break  # nobody has room for anything of this job
    for chunk in aside:
        job.wait(chunk, was_interrupted=chunk.was_begun)
    return worker is not None


def _gain_s(board: Board, chunk: Chunk) -> float:
    if chunk.is_closed or not chunk.offer.is_attachable:
        return 0.0
    frame_s = board.job(chunk).typical_frame_s
    return hedging.gain_s(chunk, frame_s=frame_s, now_s=board.now_s)
