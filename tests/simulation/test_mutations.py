"""The simulation still bites: each fault that is put into the farm's code is found."""

from __future__ import annotations

import pytest

from .mutations import MUTATIONS, Mutation
from .run import run

# A run that is ended in the middle leaves coroutines that nobody began.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
SEEDS = 200


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_fault_in_the_code_is_found(mutation: Mutation) -> None:
    first = MUTATIONS[mutation]
    for seed in (first, *(seed for seed in range(SEEDS) if seed != first)):
        with pytest.MonkeyPatch.context() as patch:
            mutation(patch)
            report = run(seed)
        if report.fault is not None:
            return
    pytest.fail(f"{SEEDS} worlds do not show {mutation.__name__}: {mutation.__doc__ or ''}")
