"""How long and how large, as services are told."""

from __future__ import annotations

import pytest
import typer

from framefarm.cli.service_options import age_s, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("1.5h", 5_400), ("90", 90), ("2m", 120), ("500ms", 0.5)],
)
def test_a_long_time_may_be_said_in_days_and_hours(text: str, seconds: float) -> None:
    assert age_s(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("500GiB", 500 << 30), ("2m", 2 << 20), ("17", 17)])
def test_a_size_may_be_said_in_powers_of_1024(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "30 days", "-1d", "d", "1e3"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it like 5s"):
        age_s(text)
