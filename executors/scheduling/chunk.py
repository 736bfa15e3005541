"""Chunk: an offer on its way, and the attempts at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from executors.retry import Budget
from executors.worker_port import Token

if TYPE_CHECKING:
    from .values import Lose, Offer

# A heavier page gets more of a worker, up to all of it.
_HEAVIEST: Final = 8


@dataclass(eq=False, slots=True)
class Attempt:
    """An attempt that has a slot, until it is filmed.

    One that `is_stopping` counts for nothing but what it takes of its worker.
    """

    token: Token
    worker: str
    cost: int
    began_s: float
    frames: int = 0
    is_attached: bool = False
    is_stopping: bool = False
    is_filmed: bool = False

    @property
    def slots(self) -> int:
        """How many it has now."""
        return 0 if self.is_filmed else self.cost


@dataclass(frozen=True, slots=True)
class Adrift:
    """An attempt whose connection broke: the worker may have it still. `lost` tells if not."""

    lost: Lose
    since_s: float


@dataclass(eq=False, slots=True)
class Chunk:
    """A chunk that somebody waits for."""

    offer: Offer
    budget: Budget = field(default_factory=Budget)
    attempts: dict[Token, Attempt] = field(default_factory=dict)
    adrift: Adrift | None = None
    failed_on: set[str] = field(default_factory=set)
    untakable: set[Token] = field(default_factory=set)  # attempts that could not be taken up
    last: int = 0  # attempt
    cost: int = 1
    is_waiting: bool = False
    is_closed: bool = False  # accepted, failed or withdrawn
    is_withdrawn: bool = False

    def __post_init__(self) -> None:
        self.last = self.offer.first_attempt - 1
        self.failed_on.update(self.offer.avoid)

    @property
    def name(self) -> tuple[str, int]:
        return (self.offer.job_id, self.offer.index)

    @property
    def stop(self) -> int:
        """The frame after its last one."""
        return self.offer.start + self.offer.frames

    @property
    def was_begun(self) -> bool:
        return self.last >= self.offer.first_attempt

    @property
    def live(self) -> list[Attempt]:
        """The attempts whose result would be taken."""
        return [attempt for attempt in self.attempts.values() if not attempt.is_stopping]

    def next_token(self, term: int) -> Token:
        self.last += 1
        return Token(term, self.last)

    def outgrow(self, token: Token) -> None:
        """Count on from an attempt that was not ours."""
        self.last = max(self.last, token.attempt)

    def grow(self) -> None:
        self.cost = min(_HEAVIEST, 2 * self.cost)
