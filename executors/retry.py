"""When a chunk is tried again, and when its job has failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from .errors import ExecutorError, Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a chunk may still spend. An interruption never spends an attempt."""

    attempts: int = 3
    interruptions: int = 20
    failures: tuple[str, ...] = ()

    def after(self, error: ExecutorError, worker: str) -> Self:
        """What is left after this error; `failures` tells the story so far."""
        failures = (*self.failures, f"{worker}: {error}")
        match error.retry:
            case Retry.ATTEMPT | Retry.MEMORY:
                return replace(self, attempts=self.attempts - 1, failures=failures)
            case Retry.INTERRUPTION:
                return replace(self, interruptions=self.interruptions - 1, failures=failures)
            case Retry.FREE | Retry.NEVER:
                return self

    def allows(self, error: ExecutorError) -> bool:
        """Tell whether another attempt follows `error`, which `after` has taken into account."""
        return error.retryable and self.attempts > 0 and self.interruptions > 0


def told_whole(error: ExecutorError, budget: Budget) -> ExecutorError:
    """The same error; when it was the last of several, with the story of them all."""
    if len(budget.failures) > 1:
        story = "\n".join(budget.failures)
        error.detail = f"{error.detail}\nattempts:\n{story}".lstrip()
    return error
