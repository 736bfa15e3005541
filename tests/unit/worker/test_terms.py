from __future__ import annotations

import pytest

from executors.errors import StaleTermError
from worker.terms import Terms


def test_a_coordinator_that_lost_its_lead_is_not_obeyed() -> None:
    terms = Terms()
    terms.check("job", 4)
    terms.check("job", 5)

    with pytest.raises(StaleTermError, match="term 5.*term 4"):
        terms.check("job", 4)
    terms.check("job", 5)


def test_a_caller_without_terms_is_taken_and_shuts_out_nobody() -> None:
    terms = Terms()
    terms.check("job", 4)

    terms.check("job", 0)
    terms.check("job", 4)
    with pytest.raises(StaleTermError):
        terms.check("job", 3)


def test_coordinators_of_other_stores_are_counted_by_themselves() -> None:
    terms = Terms()
    terms.check("theirs", 9)

    terms.check("ours", 1)


def test_a_refused_caller_does_not_lower_the_bar_and_only_the_latest_jobs_are_kept() -> None:
    terms = Terms(most_jobs=2)
    terms.check("a", 5)
    terms.check("b", 5)
    with pytest.raises(StaleTermError):
        terms.check("a", 1)
    terms.check("c", 5)  # "b" was asked for least lately

    with pytest.raises(StaleTermError):
        terms.check("a", 4)
    terms.check("b", 1)
