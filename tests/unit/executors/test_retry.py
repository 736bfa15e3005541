from __future__ import annotations

import pytest

from executors.errors import (
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    RenderCrashedError,
    WorkerBusyError,
    WorkerLostError,
)
from executors.retry import Budget


def spent(budget: Budget, *errors: ExecutorError) -> Budget:
    for error in errors:
        budget = budget.after(error, "w")
    return budget


def test_a_page_at_fault_is_never_tried_again() -> None:
    error = CompositionFailedError("boom")

    assert not spent(Budget(), error).allows(error)


@pytest.mark.parametrize("error", [RenderCrashedError("crash"), ChunkStalledError("hang")])
def test_three_attempts_are_all_there_are(error: ExecutorError) -> None:
    assert spent(Budget(), error, error).allows(error)
    assert not spent(Budget(), error, error, error).allows(error)


def test_an_interruption_spends_no_attempt() -> None:
    lost = WorkerLostError("gone")
    budget = spent(Budget(), *[lost] * 19)

    assert budget.attempts == 3
    assert budget.allows(lost)
    assert not spent(budget, lost).allows(lost)


def test_a_full_worker_costs_nothing() -> None:
    busy = WorkerBusyError("full")

    assert spent(Budget(), *[busy] * 100) == Budget()


def test_the_story_of_all_attempts_is_kept() -> None:
    budget = Budget().after(RenderCrashedError("crash"), "a").after(WorkerLostError("gone"), "b")

    assert budget.failures == ("a: crash", "b: gone")
