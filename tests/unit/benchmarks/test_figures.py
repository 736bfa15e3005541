"""What benchmarks make of numbers: medians, ratios, verdicts, tables, and orders of runs."""

from __future__ import annotations

import math

import pytest

from benchmarks.chunk_length import line_through
from benchmarks.counters import Numbers
from benchmarks.figures import Aim, alternated, counted, paired_ratio, sample, verdict
from benchmarks.pages import Page, Scene
from benchmarks.peers import Rounds
from benchmarks.process_tree import kind_of
from benchmarks.tables import table


def test_a_sample_is_told_by_its_median_and_its_range() -> None:
    assert sample([3.0, 1.0, 2.0]).text() == "2.0 (1.0–3.0)"
    assert sample([4.26]).text(digits=2) == "4.26"


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        sample([])


def test_rounds_are_compared_with_themselves() -> None:
    # The machine was three times as slow in the second round: for both.
    assert paired_ratio([20.0, 60.0], [10.0, 30.0]).values == (2.0, 2.0)


def test_rounds_that_one_has_not_run_are_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("ratio", "aim", "told"),
    [
        (3.0, Aim(at_least=3), "**3.00 ×** (aim ≥ 3 ×: reached)"),
        (2.99, Aim(at_least=3), "**2.99 ×** (aim ≥ 3 ×: not reached)"),
        (0.41, Aim(at_most=0.4), "**0.41 ×** (aim ≤ 0.4 ×: not reached)"),
        (0.25, Aim(at_most=0.25), "**0.25 ×** (aim ≤ 0.25 ×: reached)"),
    ],
)
def test_a_verdict_says_whether_the_aim_was_reached(ratio: float, aim: Aim, told: str) -> None:
    assert verdict(ratio, aim) == told


def test_one_is_no_plural() -> None:
    assert (counted(1, "run"), counted(3, "run")) == ("1 run", "3 runs")


def test_every_second_round_goes_backwards() -> None:
    assert alternated(["a", "b", "c"], 3) == [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"]]


def test_a_race_without_time_has_one_round_and_one_with_time_all() -> None:
    names = ["a", "b"]

    assert list(Rounds(3, last_s=0.0).orders(names)) == [names]
    assert len(list(Rounds(3, last_s=math.inf).orders(names))) == 3


def test_what_a_chunk_costs_besides_its_frames_is_where_the_line_begins() -> None:
    fixed_s, frame_s = line_through([(10, 0.7), (20, 0.9), (60, 1.7)])

    assert fixed_s == pytest.approx(0.5)
    assert frame_s == pytest.approx(0.02)


def test_a_line_needs_two_points() -> None:
    with pytest.raises(ValueError, match="two different points"):
        line_through([(10, 0.7), (10, 0.9)])


def test_a_table_has_a_line_for_each_row_and_keeps_bars_out_of_cells() -> None:
    lines = table(["page", "wall s"], [["A", "1 | 2"]])

    assert lines == ["| page | wall s |", "| --- | --- |", "| A | 1 \\| 2 |"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the head has 2 cells"):
        table(["page", "wall s"], [["A"]])


def a_page(scene: Scene, frames: int) -> Page:
    return Page(name="X", scene=scene, width_px=640, height_px=360, frames=frames)


def test_frames_are_right_when_both_rows_count() -> None:
    counting = Numbers(by_script=(0, 1, 2), by_style=(0, 1, 2))

    assert counting.verdict(a_page(Scene.MOVING, 3)) == "right"
    assert counting.verdict(a_page(Scene.MOVING, 4)) == "3 frames of 4"


def test_a_row_that_is_late_or_unreadable_is_told() -> None:
    late = Numbers(by_script=(0, 1, 2), by_style=(0, 0, None))

    assert late.verdict(a_page(Scene.MOVING, 3)) == "2 wrong by style"


def test_a_still_page_counts_seconds() -> None:
    seconds = (*[0] * 30, 1)

    assert Numbers(seconds, seconds).verdict(a_page(Scene.STILL, 31)) == "right"


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (
            ["/usr/lib/chromium/chromium-headless-shell", "--type=gpu-process"],
            "chromium gpu-process",
        ),
        (["/usr/lib/chromium/chromium-headless-shell", "--headless"], "chromium browser"),
        (["/venv/bin/python3", "-m", "framefarm"], "python"),
        (["ffprobe", "-v"], "ffprobe"),
        ([], "other"),
    ],
)
def test_cpu_time_is_kept_by_kind_of_process(command: list[str], kind: str) -> None:
    assert kind_of(command) == kind
