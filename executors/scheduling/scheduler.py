"""Scheduler: from what happens to what is to be done. No I/O, no clock, no chance.

The same events at the same times give the same commands. State is changed in place: thousands of
workers are not copied for one that answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from executors.errors import (
    NoWorkerError,
    Retry,
    WorkerFullError,
    WorkerLostError,
    WorkerUnfitError,
)
from executors.retry import told_whole
from executors.status import SUPERSEDED

from .board import Board
from .dispatch import dispatch, hedge
from .values import (
    Accept,
    ChunkFilmed,
    Command,
    Event,
    Failed,
    Gathered,
    JobPaused,
    JobResumed,
    Offered,
    Progressed,
    Stopped,
    Succeeded,
    Surveyed,
    Ticked,
    Withdrawn,
    WorkerFound,
    WorkerLeft,
    WorkerSilent,
    WorkerTold,
)

if TYPE_CHECKING:
    from executors.errors import ExecutorError
    from executors.worker_port import Token

    from .chunk import Attempt, Chunk
    from .jobs import Job
    from .worker import Worker
    from .workers import Workers

# As long as keepalive takes to find a connection dead (serving.channel). It finds no process that
# is stuck: the gRPC library answers its pings from a thread of its own.
SILENCE_LIMIT_S: Final = 30.0
# A connection that broke is there again within this time, or its worker is gone for longer.
ADRIFT_S: Final = 3.0
# Workers that are replaced by newer ones, one after the other, leave none of the old kind.
MOVE_S: Final = 30.0
# As long as a worker whose disk is full says that it wants (executors.status).
FULL_REST_S: Final = 10.0
# Whoever loses chunks as soon as they come must not lose twenty in a moment.
LULL_S: Final = 1.0


class Scheduler:
    """Who renders what. Tell it everything that happens; do everything that it says.

    `term` goes into the tokens of all attempts. A job for which no worker could do anything for
    `worker_wait_s` fails. `user_slots` limits the slots of each user.
    """

    def __init__(
        self, *, worker_wait_s: float, term: int = 0, user_slots: int | None = None
    ) -> None:
        self._board = Board(term=term, user_slots=user_slots)
        self._worker_wait_s = worker_wait_s
        self._is_surveyed = False

    @property
    def workers(self) -> Workers:
        return self._board.workers

    def step(self, event: Event, now_s: float) -> list[Command]:
        """Take an event in, and return what is to be done now, in this order."""
        board = self._board
        board.now_s, board.commands = now_s, []
        self._hear(event)
        if self._is_surveyed and not isinstance(event, Offered):
            dispatch(board)
            if isinstance(event, Ticked):
                hedge(board)
        return board.commands

    def _hear(self, event: Event) -> None:  # noqa: C901, PLR0912  # a table of all that may happen
        board = self._board
        match event:
            case Offered(offer):
                board.take_up(board.open(offer))
            case Withdrawn(number):
                board.withdraw(board.chunks[number])
            case Progressed():
                self._progressed(event)
            case ChunkFilmed(number, token):
                self._filmed(board.chunks[number], token)
            case Succeeded(number, token):
                self._succeeded(board.chunks[number], token)
            case Failed(number, token, error):
                self._failed(board.chunks[number], token, error)
            case Stopped(number, token):
                board.release(board.chunks[number], token)
            case WorkerFound(address):
                board.workers.find(address)
            case WorkerTold():
                self._told(event)
            case WorkerSilent(address, problem):
                board.workers.fall_silent(address, problem, board.now_s)
                self._give_up_adrift(address)
            case WorkerLeft(address):
                board.workers.leave(address)
            case JobPaused(job_id):
                board.jobs.paused.add(job_id)
            case JobResumed(job_id):
                board.jobs.paused.discard(job_id)
            case Surveyed():
                self._is_surveyed = True
            case Ticked():
                self._ticked()
            case Gathered():
                pass

    def _progressed(self, event: Progressed) -> None:
        attempt = self._board.chunks[event.number].attempts[event.token]
        attempt.frames = event.frames
        if worker := self.workers.get(attempt.worker):
            worker.silent_since_s = None

    def _filmed(self, chunk: Chunk, token: Token) -> None:
        """A slot is free; but what has run out of memory before has its own to the end."""
        attempt = chunk.attempts[token]
        if worker := self.workers.get(attempt.worker):
            worker.silent_since_s = None
        if chunk.cost == 1 and not attempt.is_filmed:
            self._board.film(chunk, attempt)

    def _succeeded(self, chunk: Chunk, token: Token) -> None:
        board, attempt = self._board, chunk.attempts[token]
        if worker := self.workers.get(attempt.worker):
            self.workers.acquit(worker, chunk, attempt)
        is_wanted = not (attempt.is_stopping or chunk.is_closed)
        if is_wanted:
            passed_s = board.now_s - attempt.began_s
            board.job(chunk).frame_s.append(passed_s / chunk.offer.frames)
            board.commands.append(Accept(chunk.offer.number, token))
        board.release(chunk, token)
        if is_wanted:
            board.close(chunk, "another attempt was faster")

    def _failed(self, chunk: Chunk, token: Token, error: ExecutorError) -> None:
        attempt = chunk.attempts[token]
        is_lost = isinstance(error, WorkerLostError) and not attempt.is_attached
        if worker := self.workers.get(attempt.worker):
            self._blame(worker, error)
        # One that was sent twice is refused where it runs: the worker's next report has it.
        is_there = is_lost or error.reason == SUPERSEDED
        self._board.release(chunk, token, is_lost=is_there)
        if attempt.is_attached:
            chunk.untakable.add(token)
        if not attempt.is_stopping:
            self._lost(chunk, attempt, error, drifts=is_lost)

    def _blame(self, worker: Worker, error: ExecutorError) -> None:
        if isinstance(error, WorkerUnfitError):
            self.workers.retire(worker, str(error))
        elif isinstance(error, WorkerFullError):
            self.workers.rest(worker, str(error), self._board.now_s + FULL_REST_S)
        elif error.retry in (Retry.INTERRUPTION, Retry.FREE):
            self.workers.rest(worker, str(error), self._board.now_s + LULL_S)
        elif error.retry is Retry.ATTEMPT:
            self.workers.strike(worker, self._board.now_s)

    def _lost(self, chunk: Chunk, attempt: Attempt, error: ExecutorError, *, drifts: bool) -> None:
        """An attempt has no result: another one follows, unless the chunk has failed."""
        if chunk.is_closed:
            return
        chunk.budget = chunk.budget.after(error, attempt.worker)
        # Another worker may have more memory, or more room on its disk, too.
        is_heavy = isinstance(error, WorkerUnfitError | WorkerFullError)
        if error.retry in (Retry.ATTEMPT, Retry.MEMORY) or is_heavy:
            chunk.failed_on.add(attempt.worker)
        if error.retry is Retry.MEMORY:
            chunk.grow()
        if error.retryable and chunk.live:
            return
        if chunk.budget.allows(error):
            self._board.lose(chunk, attempt, error, drifts=drifts)
        else:
            self._board.fail(chunk, told_whole(error, chunk.budget))

    def _told(self, event: WorkerTold) -> None:
        board = self._board
        board.workers.tell(event.address, event.report)
        for row in event.report.attempts:
            if chunk := board.named((row.job_id, row.index)):
                board.take_up(chunk)
        self._give_up_adrift(event.address)

    def _give_up_adrift(self, address: str) -> None:
        """What drifted off there is not to be found again."""
        for chunk in tuple(self._board.adrift.values()):
            if chunk.adrift and chunk.adrift.lost.worker == address:
                self._board.requeue(chunk)

    def _ticked(self) -> None:
        board = self._board
        board.workers.wake(board.now_s)
        for chunk in tuple(board.adrift.values()):
            if chunk.adrift and board.now_s - chunk.adrift.since_s >= ADRIFT_S:
                board.requeue(chunk)
        for worker in tuple(board.workers):
            since_s = worker.silent_since_s
            if worker.is_used and since_s is not None and board.now_s - since_s >= SILENCE_LIMIT_S:
                self._cut_off(worker)
        for job in board.jobs:
            self._give_up_if_hopeless(job)
            self._move_if_left(job)

    def _cut_off(self, worker: Worker) -> None:
        error = WorkerLostError(
            f"{worker.address} gave no sign of life for {SILENCE_LIMIT_S:g} s ({worker.problem})"
        )
        for chunk, attempt in self._board.at(worker.address):
            self._board.stop(chunk, attempt, str(error))
            self._lost(chunk, attempt, error, drifts=False)

    def _give_up_if_hopeless(self, job: Job) -> None:
        board = self._board
        is_hopeful = self.workers.serving(job.fingerprint) or job.id in board.jobs.paused
        if is_hopeful or job.first() is None:
            job.hopeful_at_s = board.now_s
        elif board.now_s - job.hopeful_at_s >= self._worker_wait_s:
            error = NoWorkerError(self._lament(job.fingerprint))
            while chunk := job.first():
                board.fail(chunk, error)

    def _move_if_left(self, job: Job) -> None:
        """Let a job go on by workers of another fingerprint when none of its own is left.

        What was rendered by those that left is then rendered again: it would not fit.
        """
        is_idle = not (job.running or job.filmed)
        is_left = is_idle and job.fingerprint and not self.workers.serving(job.fingerprint)
        has_others = is_left and self.workers.serving("") > 0
        if has_others and self._board.now_s - job.hopeful_at_s >= MOVE_S:
            job.fingerprint, job.hopeful_at_s = "", self._board.now_s

    def _lament(self, fingerprint: str) -> str:
        known = "; ".join(
            f"{worker.address}: "
            f"{worker.problem or worker.unfit or 'draining, or of another fingerprint'}"
            for worker in sorted(self.workers, key=lambda worker: worker.address)
        )
        of = f" of fingerprint {fingerprint}" if fingerprint else ""
        return f"no worker{of} could be reached for {self._worker_wait_s:g} s ({known or 'none'})"
