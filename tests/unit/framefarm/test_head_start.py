"""When a coordinator is started before the command line is read."""

from __future__ import annotations

import pytest

from framefarm.head_start import needs_local_farm

RENDER = ("render", "page.html", "-o", "film.mp4")


@pytest.mark.parametrize("arguments", [RENDER, ("still", "a"), ("sheet", "a", "-o", "b.png")])
def test_it_is_started_for_what_is_rendered_here(arguments: tuple[str, ...]) -> None:
    assert needs_local_farm(arguments, {"FRAMEFARM_FARM": ""})


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ((), {}),
        (("jobs",), {}),
        (("submit", "page.html"), {}),
        ((*RENDER, "--farm", "farm:50050"), {}),
        ((*RENDER, "--farm=farm:50050"), {}),
        ((*RENDER, "--workers", "2"), {}),
        ((*RENDER, "-h"), {}),
        (("render", "--help"), {}),
        (RENDER, {"FRAMEFARM_FARM": "farm:50050"}),
    ],
)
def test_it_is_not_where_none_or_another_one_is_needed(
    arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert not needs_local_farm(arguments, environment)
