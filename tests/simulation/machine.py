"""Machine: a model of a worker's process, from its start to its end. No threads, no files."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from executors.base import ChunkResult, ChunkTask, WarmPage
from executors.errors import (
    AttemptNotFoundError,
    ChunkAbortedError,
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    RenderCrashedError,
    StaleTermError,
    WorkerBusyError,
    WorkerFullError,
    WorkerLostError,
    WorkerOutOfMemoryError,
    WorkerUnfitError,
)
from executors.status import (
    DRAINING,
    JOB_OVERDUE,
    MISSING_TOOL,
    SLOTS_FULL,
    STORAGE_FULL,
    SUPERSEDED,
    TAKEN_OVER,
)
from executors.worker_port import ReportedAttempt, Token, WorkerReport
from renderer.frames import FrameRange

from .chance import Chance

# What the real worker has (worker/, executors/worker_call.py): the conformance suite compares.
ENGINES: Final = ("engine-1", "engine-2")
ABORTED: Final = "ABORTED"
PAGE_ERROR: Final = "PAGE_ERROR"
KEPT_S: Final = 30.0  # an attempt that nobody listens to
STALL_S: Final = 20.0
ABORT_S: Final = 0.2  # until the browser's processes are gone
GRACE_S: Final = 6.0
_SLOWNESS: Final = 20.0
_TOLD: Final = 4  # progress messages of a chunk
_AHEAD: Final = 40  # frames that an encoder holds back, and encodes when all are filmed

Key = tuple[str, int]


class Listener(Protocol):
    """Whoever made the call that an attempt answers to, over some line."""

    @property
    def line(self) -> object: ...

    @property
    def left_s(self) -> float | None:
        """The call's deadline, which is its job's."""
        ...

    def tell(self, frames: int) -> None: ...
    def tell_filmed(self) -> None: ...
    def finish(self, result: ChunkResult) -> None: ...
    def fail(self, error: ExecutorError) -> None: ...


class Stage(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    GONE = "gone"


@dataclass(eq=False, slots=True)
class SimAttempt:
    """An attempt on a worker. The one timer that it has is its next step."""

    task: ChunkTask
    token: Token
    frame_s: float
    fate: ExecutorError | None
    fate_at: int  # after so many frames; -1: it hangs there for good if there is no fate
    listener: Listener | None
    is_forged: bool = False
    frames: int = 0
    is_filmed: bool = False
    stage: Stage = Stage.RUNNING
    step: asyncio.TimerHandle | None = None
    leaving: asyncio.TimerHandle | None = None
    overdue: asyncio.TimerHandle | None = None
    on_end: list[Callable[[], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """What a worker is."""

    address: str
    name: str
    slots: int
    frame_s: float
    fingerprint: str = "engine-1"
    tells_filmed: bool = True  # an older one keeps a chunk's slot until the chunk is fetched


def picture(job_id: str, frame: int, fingerprint: str) -> str:
    return f"{job_id}/{frame}/{fingerprint}"


def chunk_content(task: ChunkTask, fingerprint: str) -> str:
    """The bytes of a chunk's file: a pure function of what was asked for."""
    return f"{task.job_id}[{task.frames.start},{task.frames.stop}){fingerprint};"


def forged_content(task: ChunkTask, fingerprint: str) -> str:
    """What a worker makes that mistakes its frames."""
    start, stop = task.frames.start + 1, task.frames.stop + 1
    return chunk_content(replace(task, frames=FrameRange(start, stop)), fingerprint)


def sha256_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


class Machine:
    """The worker's side of every call. A frame that the props name to `throw` fails everywhere."""

    def __init__(
        self, spec: MachineSpec, chance: Chance, context: contextvars.Context, *, instance: str
    ) -> None:
        self.spec = spec
        self._instance = instance
        self.is_up = True
        self.is_draining = False
        self.is_full = False  # its disk
        self.is_misfit = False  # it cannot render at all
        self.extra_slots = 0  # that it says it has, and has not
        self.holds_encoders = False  # they do not end
        self._chance = chance
        self._attempts: dict[Key, SimAttempt] = {}
        self._queued: set[Listener] = set()  # calls that wait for an older attempt's end
        self._terms: dict[str, int] = {}
        self._pages: list[WarmPage] = []  # that are open and idle, the latest last
        self._loop = asyncio.get_running_loop()
        self._context = context  # the world's: what a caller begins here outlives the caller

    @property
    def attempts(self) -> list[SimAttempt]:
        return list(self._attempts.values())

    def free(self, slots: int) -> int:
        """How many more would be taken, of so many slots."""
        in_slots = sum(not each.is_filmed for each in self._attempts.values())
        return max(0, min(slots - in_slots, 2 * slots - len(self._attempts)))

    def let_encoders_end(self) -> None:
        self.holds_encoders = False
        for attempt in self.attempts:
            if attempt.is_filmed and attempt.stage is Stage.RUNNING:
                self._encode(attempt)

    def report(self) -> WorkerReport:
        slots = self.spec.slots + self.extra_slots
        return WorkerReport(
            name=self.spec.name,
            version="sim",
            fingerprint=self.spec.fingerprint,
            slots=slots,
            free_slots=0 if self.is_draining else self.free(slots),
            is_draining=self.is_draining,
            warm_pages=tuple(self._pages),
            attempts=tuple(
                ReportedAttempt(
                    job_id=each.task.job_id,
                    index=each.task.index,
                    token=each.token,
                    frames=each.frames,
                    is_finished=each.stage is Stage.FINISHED,
                    is_filmed=each.is_filmed,
                )
                for each in self._attempts.values()
                if each.stage in (Stage.RUNNING, Stage.FINISHED)
            ),
            instance=self._instance,
        )

    # -- calls ------------------------------------------------------------------------------------

    def begin(self, task: ChunkTask, listener: Listener) -> None:
        """A RenderChunk call comes in."""
        token = Token(task.term, task.attempt)
        try:
            self._check_term(task.job_id, task.term)
            if self.is_misfit:
                raise WorkerUnfitError("there is no ffmpeg here", reason=MISSING_TOOL)
            older = self._attempts.get((task.job_id, task.index))
            if older is not None and older.token >= token:
                text = f"attempt {older.token} of chunk {task.index} runs here already"
                raise WorkerBusyError(text, reason=SUPERSEDED)  # what the wire makes of ABORTED
        except ExecutorError as error:
            listener.fail(error)
            return
        if older is not None:
            self._queue_behind(older, task, listener)
            why = WorkerBusyError(f"attempt {token} takes its place", reason=SUPERSEDED)
            self._stop(older, why)
        elif problem := self._no_room():
            listener.fail(problem)
        else:
            self._start(task, token, listener)

    def attach(self, task: ChunkTask, listener: Listener, *, caller_term: int) -> None:
        """An AttachChunk call comes in; the task's token names the attempt."""
        token = Token(task.term, task.attempt)
        attempt = self._attempts.get((task.job_id, task.index))
        try:
            self._check_term(task.job_id, caller_term)
        except StaleTermError as error:
            listener.fail(error)
            return
        stages = (Stage.RUNNING, Stage.FINISHED)
        if attempt is None or attempt.token != token or attempt.stage not in stages:
            listener.fail(AttemptNotFoundError(f"{token} of chunk {task.index} is not here"))
            return
        if attempt.listener is not None:
            attempt.listener.fail(WorkerLostError("another call has it", reason=TAKEN_OVER))
        if attempt.leaving is not None:
            attempt.leaving.cancel()
        attempt.listener, attempt.leaving = listener, None
        self._end_within(attempt, listener.left_s)
        listener.tell(attempt.frames)
        if attempt.is_filmed:
            listener.tell_filmed()
        if attempt.stage is Stage.FINISHED:
            self._hand_over(attempt)

    def abort(self, listener: Listener) -> None:
        """Whoever called wants no more of it; the answer comes when the processes are gone."""
        if listener in self._queued:
            self._queued.discard(listener)
            listener.fail(ChunkAbortedError("aborted", reason=ABORTED))
        for attempt in self._attempts.values():
            if attempt.listener is listener:
                self._stop(attempt, ChunkAbortedError("aborted", reason=ABORTED))
                return

    def lose(self, listener: Listener) -> None:
        """The call broke: what runs goes on for a while, for somebody may attach."""
        self._queued.discard(listener)
        for attempt in self._attempts.values():
            if attempt.listener is listener:
                self._detach(attempt)
                return

    def lose_all(self, line: object) -> None:
        """A whole connection broke."""
        for attempt in self.attempts:
            if attempt.listener is not None and attempt.listener.line is line:
                self._detach(attempt)

    def taken(self, listener: Listener) -> None:
        """The caller has the whole result: nothing of it has to be kept."""
        for attempt in self.attempts:
            if attempt.listener is listener:
                self._remove(attempt)

    def end_job(self, job_id: str, term: int) -> None:
        if term and term < self._terms.get(job_id, 0):
            return
        for attempt in self.attempts:
            if attempt.task.job_id == job_id:
                self._stop(attempt, ChunkAbortedError("its job has ended", reason=ABORTED))
        self._pages = [page for page in self._pages if page.job_id != job_id]

    # -- its life ---------------------------------------------------------------------------------

    def drain(self, on_exit: Callable[[], None]) -> None:
        """SIGTERM: take nothing new, end what can be ended in the grace, hand back the rest."""
        if self.is_draining:
            return
        self.is_draining = True

        def hand_back() -> None:
            for attempt in self.attempts:
                self._stop(attempt, WorkerBusyError("the worker shuts down", reason=DRAINING))
            self._later(2 * ABORT_S, on_exit)

        self._later(GRACE_S, hand_back)

    def die(self) -> None:
        """Nothing of it is left, and nobody is told by it."""
        self.is_up = False
        for attempt in self.attempts:
            attempt.listener = None
            self._remove(attempt)

    # -- inside -----------------------------------------------------------------------------------

    def _later(self, seconds: float, act: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, act, *args, context=self._context)

    def _check_term(self, job_id: str, term: int) -> None:
        highest = self._terms.get(job_id, 0)
        if 0 < term < highest:
            raise StaleTermError(f"job {job_id} is led in term {highest}, not {term}")
        self._terms[job_id] = max(highest, term)

    def _no_room(self) -> ExecutorError | None:
        if self.is_draining:
            return WorkerBusyError("the worker drains", reason=DRAINING)
        if not self.free(self.spec.slots):
            return WorkerBusyError(f"all {self.spec.slots} slots are taken", reason=SLOTS_FULL)
        return None

    def _queue_behind(self, older: SimAttempt, task: ChunkTask, listener: Listener) -> None:
        self._queued.add(listener)

        def go_on() -> None:
            if listener in self._queued:
                self._queued.discard(listener)
                self.begin(task, listener)

        older.on_end.append(go_on)

    def _start(self, task: ChunkTask, token: Token, listener: Listener) -> None:
        frame_s, fate, fate_at = self._fate(task)
        attempt = SimAttempt(
            task=task,
            token=token,
            frame_s=frame_s,
            fate=fate,
            fate_at=fate_at,
            listener=listener,
            is_forged=self._chance.strikes("forge", self.spec.address) is not None,
        )
        self._end_within(attempt, listener.left_s)
        self._attempts[(task.job_id, task.index)] = attempt
        self._take_page(task)
        self._next_step(attempt)

    def _take_page(self, task: ChunkTask) -> None:
        reaching = [
            page
            for page in self._pages
            if page.job_id == task.job_id and page.from_frame <= task.frames.start
        ]
        if reaching:
            self._pages.remove(max(reaching, key=lambda page: page.from_frame))

    def _open_page(self, task: ChunkTask) -> None:
        if task.has_successor:
            page = WarmPage(task.job_id, task.frames.stop)
            self._pages = [*self._pages, page][-self.spec.slots :]

    def _fate(self, task: ChunkTask) -> tuple[float, ExecutorError | None, int]:
        """How fast the attempt is, and what becomes of it after how many frames."""
        frame_s, where = self.spec.frame_s, self.spec.address
        if self._chance.strikes("slow", where) is not None:
            frame_s *= _SLOWNESS
        poison = json.loads(task.settings.props_json).get("throw", -1)
        if task.frames.start <= poison < task.frames.stop:
            error = CompositionFailedError(f"threw at frame {poison}", reason=PAGE_ERROR)
            return frame_s, error, poison - task.frames.start
        if (at := self._chance.strikes("crash-render", where)) is not None:
            return frame_s, RenderCrashedError("Chromium is gone"), int(at * len(task.frames))
        if (at := self._chance.strikes("out-of-memory", where)) is not None:
            killed = WorkerOutOfMemoryError("the kernel killed Chromium")
            return frame_s, killed, int(at * len(task.frames))
        if (at := self._chance.strikes("hang", where)) is not None:
            return frame_s, None, int(at * len(task.frames))
        return frame_s, None, -1

    def _end_within(self, attempt: SimAttempt, seconds: float | None) -> None:
        if attempt.overdue is not None:
            attempt.overdue.cancel()
        why = ChunkAbortedError("its job's time is over", reason=JOB_OVERDUE)
        attempt.overdue = (
            None if seconds is None else self._later(seconds, self._stop, attempt, why)
        )

    def _next_step(self, attempt: SimAttempt) -> None:
        total = len(attempt.task.frames)
        goal = min(total, attempt.frames + max(1, -(-total // _TOLD)))
        if attempt.fate_at >= 0:
            goal = min(goal, attempt.fate_at)
        wait_s = (goal - attempt.frames) * attempt.frame_s
        attempt.step = self._later(wait_s, self._reach, attempt, goal)

    def _reach(self, attempt: SimAttempt, frames: int) -> None:
        attempt.frames = frames
        if self.is_full:
            self._stop(attempt, WorkerFullError("its disk is full", reason=STORAGE_FULL))
            return
        if frames == attempt.fate_at:
            self._meet_fate(attempt)
            return
        if attempt.listener is not None:
            attempt.listener.tell(frames)
        if frames < len(attempt.task.frames):
            self._next_step(attempt)
        else:
            self._film(attempt)

    def _film(self, attempt: SimAttempt) -> None:
        """All frames are there; what its encoder has held back is yet to be encoded."""
        attempt.step, attempt.is_filmed = None, self.spec.tells_filmed
        if attempt.is_filmed:
            self._open_page(attempt.task)
            if attempt.listener is not None:
                attempt.listener.tell_filmed()
        if not self.holds_encoders:
            self._encode(attempt)

    def _encode(self, attempt: SimAttempt) -> None:
        tail_s = attempt.frame_s * min(_AHEAD, len(attempt.task.frames)) / 2
        if (at := self._chance.strikes("break-encoder", self.spec.address)) is not None:
            broken = RenderCrashedError("ffmpeg is gone")
            attempt.step = self._later(at * tail_s, self._stop, attempt, broken)
        else:
            attempt.step = self._later(tail_s, self._finish, attempt)

    def _meet_fate(self, attempt: SimAttempt) -> None:
        if attempt.fate is not None:
            self._stop(attempt, attempt.fate)
            return
        stalled = ChunkStalledError(f"no frame for {STALL_S:g} s")
        attempt.step = self._later(STALL_S, self._stop, attempt, stalled)

    def _finish(self, attempt: SimAttempt) -> None:
        attempt.stage, attempt.step = Stage.FINISHED, None
        if not attempt.is_filmed:
            self._open_page(attempt.task)
        if attempt.listener is not None:
            self._hand_over(attempt)

    def _hand_over(self, attempt: SimAttempt) -> None:
        assert attempt.listener is not None
        attempt.listener.finish(self._result(attempt))

    def _result(self, attempt: SimAttempt) -> ChunkResult:
        task, fingerprint = attempt.task, self.spec.fingerprint
        make = forged_content if attempt.is_forged else chunk_content
        content, frames = make(task, fingerprint), task.frames
        following = picture(task.job_id, frames.stop, fingerprint) if task.has_successor else ""
        return ChunkResult(
            index=task.index,
            frames=len(frames),
            width_px=task.settings.width_px,
            height_px=task.settings.height_px,
            size_bytes=len(content),
            sha256=sha256_of(content),
            fingerprint=fingerprint,
            worker=self.spec.address,
            seconds=len(frames) * attempt.frame_s,
            attempt=task.attempt,
            frame_digests=tuple(picture(task.job_id, each, fingerprint) for each in frames),
            next_frame_digest=following,
        )

    def _stop(self, attempt: SimAttempt, why: ExecutorError) -> None:
        """End the attempt; whoever listens hears why once nothing of it is left."""
        if attempt.stage is Stage.STOPPING:
            return
        if attempt.step is not None:
            attempt.step.cancel()
        wait_s = ABORT_S if attempt.stage is Stage.RUNNING else 0.0
        attempt.stage = Stage.STOPPING
        attempt.step = self._later(wait_s, self._stopped, attempt, why)

    def _stopped(self, attempt: SimAttempt, why: ExecutorError) -> None:
        if attempt.listener is not None:
            attempt.listener.fail(why)
        self._remove(attempt)

    def _detach(self, attempt: SimAttempt) -> None:
        attempt.listener = None
        if attempt.stage in (Stage.RUNNING, Stage.FINISHED):
            why = ChunkAbortedError("nobody came for it")
            attempt.leaving = self._later(KEPT_S, self._stop, attempt, why)

    def _remove(self, attempt: SimAttempt) -> None:
        if attempt.stage is Stage.GONE:
            return
        attempt.stage = Stage.GONE
        for timer in (attempt.step, attempt.leaving, attempt.overdue):
            if timer is not None:
                timer.cancel()
        del self._attempts[(attempt.task.job_id, attempt.task.index)]
        if self.is_up:
            for act in attempt.on_end:
                act()
