"""The simulation still bites: each fault that is put into the farm's code is found."""

from __future__ import annotations

import pytest

from .mutation_list import MUTATIONS, Mutation
from .run import run
from .scenarios import SCENARIOS, Scenario

# A run that is ended in the middle leaves coroutines that nobody began.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
SEEDS = 50


def is_found(mutation: Mutation, where: int | Scenario) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        if isinstance(where, Scenario):
            return not where.is_well(where.run())
        return run(where).fault is not None


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_fault_in_the_code_is_found(mutation: Mutation) -> None:
    first = MUTATIONS[mutation]
    for where in (first, *(seed for seed in range(SEEDS) if seed != first)):
        if is_found(mutation, where):
            return
    pytest.fail(f"{SEEDS} worlds do not show {mutation.__name__}: {mutation.__doc__ or ''}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_well_where_the_code_is(scenario: Scenario) -> None:
    report = scenario.run()

    assert scenario.is_well(report), report.story()
    assert len(report.script.faults) == len(scenario.faults)  # each of them struck
