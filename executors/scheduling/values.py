"""What a scheduler is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from executors.base import Share
    from executors.errors import ExecutorError
    from executors.worker_port import Token, WorkerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A chunk that wants to be rendered. `number` tells it apart from every other offer.

    `fits` is the fingerprint of what its job has already, and `avoid` are workers that failed it.
    """

    number: int
    job_id: str
    index: int
    start: int
    frames: int
    digest: str | None
    share: Share
    fits: str = ""
    first_attempt: int = 1
    keeps_page: bool = False  # what it has rendered leaves its page open for the next chunk
    is_played: bool = False  # a page comes to it frame by frame: to go back costs all of them
    is_attachable: bool = True
    avoid: tuple[str, ...] = ()


# ── events ──


@dataclass(frozen=True, slots=True)
class Offered:
    """A chunk is there; it begins with the next event: who has all of them chooses better."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is offered at this time has been told."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Nobody waits for the chunk any more: it is done, or was given up."""

    number: int


@dataclass(frozen=True, slots=True)
class JobPaused:
    job_id: str


@dataclass(frozen=True, slots=True)
class JobResumed:
    job_id: str


@dataclass(frozen=True, slots=True)
class WorkerFound:
    address: str


@dataclass(frozen=True, slots=True)
class WorkerTold:
    """A worker has answered."""

    address: str
    report: WorkerReport


@dataclass(frozen=True, slots=True)
class WorkerSilent:
    """A worker has not answered."""

    address: str
    problem: str


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """A worker is not to be found any more where workers are looked up. What runs there goes on."""

    address: str


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Every worker that is known has been asked once: what runs where is known now."""


@dataclass(frozen=True, slots=True)
class Progressed:
    number: int
    token: Token
    frames: int


@dataclass(frozen=True, slots=True)
class ChunkFilmed:
    """An attempt has no slot any more, and leaves its page open. It may still end in any way."""

    number: int
    token: Token


@dataclass(frozen=True, slots=True)
class Succeeded:
    number: int
    token: Token


@dataclass(frozen=True, slots=True)
class Failed:
    number: int
    token: Token
    error: ExecutorError


@dataclass(frozen=True, slots=True)
class Stopped:
    """An attempt has ended because it was stopped."""

    number: int
    token: Token


@dataclass(frozen=True, slots=True)
class Ticked:
    """Some time has passed."""


Event = (
    Offered
    | Gathered
    | Withdrawn
    | JobPaused
    | JobResumed
    | WorkerFound
    | WorkerTold
    | WorkerSilent
    | WorkerLeft
    | Surveyed
    | Progressed
    | ChunkFilmed
    | Succeeded
    | Failed
    | Stopped
    | Ticked
)


# ── commands ──


@dataclass(frozen=True, slots=True)
class Start:
    number: int
    token: Token
    worker: str


@dataclass(frozen=True, slots=True)
class Attach:
    """The worker has this attempt already: take it up."""

    number: int
    token: Token
    worker: str


@dataclass(frozen=True, slots=True)
class Stop:
    number: int
    token: Token
    reason: str


@dataclass(frozen=True, slots=True)
class Accept:
    """The attempt's result is the chunk's."""

    number: int
    token: Token


@dataclass(frozen=True, slots=True)
class Lose:
    """The attempt has ended without a result, and another one follows."""

    number: int
    token: Token
    worker: str
    error: ExecutorError


@dataclass(frozen=True, slots=True)
class Fail:
    """The chunk cannot be rendered."""

    number: int
    error: ExecutorError


Command = Start | Attach | Stop | Accept | Lose | Fail
