"""`framefarm benchmark` with real Chromium: a tiny page, measured once."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import framefarm
from tests.support.pages import PAGES, tools_or_skip


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    tools_or_skip()


async def test_a_page_is_measured_with_one_slot_with_two_and_against_its_floor() -> None:
    page = str(PAGES / "counter.html")
    small = ["--width", "480", "--height", "270", "--preset", "ultrafast"]

    ended = await framefarm("benchmark", page, *small, "--frames", "36", "--slots", "2", "--json")

    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    one, two = told["slots"]
    assert (one["slots"], len(one["timings"])) == (1, 1)
    assert (two["slots"], len(two["timings"])) == (2, 2)
    assert all(row["frames_per_second"] > 0 for row in (one, two))
    timings = one["timings"][0]
    assert timings["strategy"]
    assert timings["paint_s"] > 0
    assert 0 < len(timings["slowest"]) <= 36
    assert told["floor"]["frames"] == 35  # those after the first
    assert told["of_floor"] == pytest.approx(
        one["frames_per_second"] / told["floor"]["frames_per_second"]
    )
    assert "rendering with 2 slots" in ended.err
    assert "the floor" in ended.err


async def test_a_page_that_is_not_there_is_said_without_measuring() -> None:
    ended = await framefarm("benchmark", "nowhere.html", "--frames", "12")

    assert ended.code == 2
    assert "SOURCE: nowhere.html does not exist" in ended.err
    assert not ended.out
