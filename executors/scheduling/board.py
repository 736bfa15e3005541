"""Board: the chunks, jobs and workers of now, and the moves that are made on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chunk import Adrift, Attempt, Chunk
from .jobs import Jobs
from .values import Attach, Command, Fail, Lose, Start, Stop
from .workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from executors.errors import ExecutorError
    from executors.worker_port import Token

    from .jobs import Job
    from .values import Offer
    from .worker import Worker


class Board:
    """Keeps chunks, jobs and workers in step, and notes the commands that a move makes."""

    def __init__(self, *, term: int, user_slots: int | None) -> None:
        self.workers = Workers()
        self.jobs = Jobs(user_slots=user_slots)
        self.chunks: dict[int, Chunk] = {}
        self.adrift: dict[int, Chunk] = {}
        self.commands: list[Command] = []
        self.now_s = 0.0
        self._names: dict[tuple[str, int], Chunk] = {}  # those that are not closed
        self._term = term

    def job(self, chunk: Chunk) -> Job:
        return self.jobs.of(chunk)

    def named(self, name: tuple[str, int]) -> Chunk | None:
        """The chunk of a job and index that is still wanted, if any."""
        return self._names.get(name)

    def at(self, address: str) -> Iterator[tuple[Chunk, Attempt]]:
        """The live attempts of a worker."""
        for chunk in tuple(self.chunks.values()):
            for attempt in chunk.live:
                if attempt.worker == address:
                    yield chunk, attempt

    def open(self, offer: Offer) -> Chunk:
        chunk = Chunk(offer)
        self.chunks[offer.number] = self._names[chunk.name] = chunk
        job = self.jobs.open(offer, self.now_s)
        job.wait(chunk, was_interrupted=False)
        if self.named((offer.job_id, offer.index - 1)) is None:
            job.leave(offer.start)
        return chunk

    def start(self, chunk: Chunk, worker: Worker) -> None:
        token = chunk.next_token(self._term)
        self._begin(chunk, worker, token)
        self.commands.append(Start(chunk.offer.number, token, worker.address))

    def take_up(self, chunk: Chunk) -> None:
        """Go on with an attempt that runs already, if there is one, instead of a new one."""
        begun = self.workers.begun(chunk.name)
        if begun is None or chunk.live or not chunk.offer.is_attachable:
            return
        worker, row = begun
        token = row.token
        if token.term > self._term:
            return  # of the coordinator that leads now; ours will be refused, and learn of it
        is_fit = self.job(chunk).fingerprint in ("", worker.fingerprint)
        if is_fit and token not in chunk.untakable:
            chunk.outgrow(token)
            self.job(chunk).take(chunk)
            self._moor(chunk)
            self._begin(chunk, worker, token, is_filmed=row.is_filmed).is_attached = True
            self.commands.append(Attach(chunk.offer.number, token, worker.address))

    def film(self, chunk: Chunk, attempt: Attempt) -> None:
        """An attempt goes on without a slot."""
        job = self.job(chunk)
        self.jobs.hold(job, -attempt.slots)
        job.filmed += 1
        if worker := self.workers.get(attempt.worker):
            self.workers.film(worker, chunk, attempt)
        attempt.is_filmed = True
        job.leave(chunk.stop)

    def release(self, chunk: Chunk, token: Token, *, is_lost: bool = False) -> None:
        """An attempt has ended, as far as we know: nothing of its worker is taken by it."""
        attempt = chunk.attempts.pop(token)
        job = self.job(chunk)
        self.jobs.hold(job, -attempt.slots)
        job.filmed -= attempt.is_filmed
        if not attempt.is_filmed:
            job.leave(chunk.stop)
        if worker := self.workers.get(attempt.worker):
            self.workers.release(worker, chunk, attempt, is_lost=is_lost)
        self._forget(chunk)

    def lose(self, chunk: Chunk, attempt: Attempt, error: ExecutorError, *, drifts: bool) -> None:
        """Another attempt follows: soon, when the worker may have this one still; else now."""
        lost = Lose(chunk.offer.number, attempt.token, attempt.worker, error)
        chunk.adrift = Adrift(lost, self.now_s)
        if drifts and chunk.offer.is_attachable:
            self.adrift[chunk.offer.number] = chunk
        else:
            self.requeue(chunk)

    def requeue(self, chunk: Chunk) -> None:
        """What drifts is lost for good: the chunk begins anew, before all that never began."""
        if chunk.adrift:
            self.commands.append(chunk.adrift.lost)
        self._moor(chunk)
        self.job(chunk).wait(chunk, was_interrupted=True)

    def stop(self, chunk: Chunk, attempt: Attempt, why: str) -> None:
        attempt.is_stopping = True
        self.commands.append(Stop(chunk.offer.number, attempt.token, why))

    def fail(self, chunk: Chunk, error: ExecutorError) -> None:
        self.commands.append(Fail(chunk.offer.number, error))
        self.close(chunk, "the chunk has failed")

    def close(self, chunk: Chunk, why: str) -> None:
        """No result of the chunk is wanted any more."""
        chunk.is_closed = True
        self.job(chunk).take(chunk)
        self._moor(chunk)
        if self._names.get(chunk.name) is chunk:
            del self._names[chunk.name]
        for attempt in chunk.live:
            self.stop(chunk, attempt, why)

    def withdraw(self, chunk: Chunk) -> None:
        self.close(chunk, "nobody waits for it any more")
        chunk.is_withdrawn = True
        self._forget(chunk)

    def _begin(
        self, chunk: Chunk, worker: Worker, token: Token, *, is_filmed: bool = False
    ) -> Attempt:
        job = self.job(chunk)
        job.fingerprint = worker.fingerprint
        if chunk.offer.is_attachable:  # a probe is of all frames
            job.front = max(job.front, chunk.stop)
        cost = min(chunk.cost, max(1, worker.slots))
        attempt = Attempt(token, worker.address, cost, self.now_s, is_filmed=is_filmed)
        chunk.attempts[token] = attempt
        self.jobs.hold(job, attempt.slots)
        job.filmed += is_filmed
        self.workers.lease(worker, chunk, attempt)
        return attempt

    def _moor(self, chunk: Chunk) -> None:
        chunk.adrift = None
        self.adrift.pop(chunk.offer.number, None)

    def _forget(self, chunk: Chunk) -> None:
        if chunk.is_withdrawn and not chunk.attempts:
            del self.chunks[chunk.offer.number]
            self.jobs.close(chunk)
