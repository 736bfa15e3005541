"""The table of peers: who is compared with whom, and what is said of those who are wrong."""

from __future__ import annotations

from benchmarks.drivers.ours import Framefarm
from benchmarks.drivers.remotion import Remotion
from benchmarks.pages import PEER_PAGES
from benchmarks.peers import Entry
from benchmarks.peers_report import _page_table, _ratios
from benchmarks.process_tree import Usage

PAGE_A = PEER_PAGES[0]


def used(wall_s: float, cpu_s: float) -> Usage:
    return Usage(
        exit_code=0, wall_s=wall_s, cpu_s=cpu_s, peak_memory_mb=500, cpu_by_kind_s={"ffmpeg": 1.0}
    )


def an_entry(workers: int, *runs: Usage, verdict: str = "right", ours: bool = False) -> Entry:
    peer = Framefarm() if ours else Remotion()
    return Entry(peer, PAGE_A, workers, runs=list(runs), verdict=verdict)


def test_ours_is_compared_with_the_fastest_and_with_the_leanest_correct_peer() -> None:
    entries = [
        an_entry(2, used(5.0, 6.0), used(10.0, 6.0), ours=True),
        an_entry(1, used(20.0, 15.0), used(40.0, 15.0)),  # lean
        an_entry(2, used(15.5, 24.0), used(31.0, 24.0)),  # fast
        an_entry(3, used(1.0, 1.0), used(1.0, 1.0), verdict="1 wrong by script"),
    ]

    (row,) = [line for line in _ratios(entries) if line.startswith("| A ")]

    assert "Remotion, 2 workers / Remotion, 1 worker" in row
    assert "**3.10 ×** (aim ≥ 3 ×: reached)" in row
    assert "**0.40 ×** (aim ≤ 0.4 ×: reached)" in row


def test_without_a_correct_peer_there_is_nothing_to_compare() -> None:
    entries = [
        an_entry(2, used(5.0, 6.0), ours=True),
        an_entry(1, verdict="did not end in 120 s"),
    ]

    assert not [line for line in _ratios(entries) if line.startswith("| A ")]
    assert any("did not end in 120 s" in line for line in _page_table(entries))
