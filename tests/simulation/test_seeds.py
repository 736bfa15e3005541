"""The farm's own code in a few hundred small worlds in which everything goes wrong.

FRAMEFARM_SEEDS=N runs more of them. A run that fails prints its seed, the commit, the faults that
it takes, and a timeline: `python -m tests.simulation SEED` shows it again, whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from .chance import RATES, Script
from .run import Report, run
from .shrink import shrunk

SEEDS: Final = int(os.environ.get("FRAMEFARM_SEEDS", "200"))
_BLOCK: Final = 50
_ROOT: Final = Path(__file__).parents[2]
_SCRIPTS: Final = sorted(Path(__file__).parent.glob("scripts/*.json"))


def fail_with_least(report: Report) -> None:
    """Fail with as few faults as it takes."""
    rule = report.rule
    script = shrunk(report.script, lambda each: run(each.seed, each).rule == rule, tries=60)
    least = run(script.seed, script)
    pytest.fail(f"{least.story()}\n\n{script.to_json()}", pytrace=False)


@pytest.mark.parametrize("first", range(0, SEEDS, _BLOCK))
def test_nothing_is_lost_whatever_happens(first: int) -> None:
    for seed in range(first, min(SEEDS, first + _BLOCK)):
        report = run(seed)
        if report.fault is not None:
            fail_with_least(report)


@pytest.mark.parametrize("path", _SCRIPTS, ids=lambda path: path.stem)
def test_what_went_wrong_once_does_not_again(path: Path) -> None:
    script = Script.from_file(path)

    report = run(script.seed, script)

    assert report.fault is None, report.story()
    assert len(report.script.faults) > 0  # the script still strikes


def test_the_same_seed_gives_the_same_run() -> None:
    assert run(3).trace == run(3).trace != run(4).trace


def test_the_same_seed_gives_the_same_run_in_another_process_with_other_hashes() -> None:
    seeds = (5, 8, 13)
    told = [_trace_elsewhere(seeds, hash_seed) for hash_seed in ("1", "2")]

    assert told[0] == told[1] == [run(seed).trace for seed in seeds]


def test_the_script_of_a_run_gives_the_run_again() -> None:
    first = run(21)

    again = run(21, first.script)

    assert len(first.script.faults) > 3
    assert again.trace == first.trace


def test_storms_leave_nobody_out() -> None:
    """Each kind of fault strikes in some of the worlds, and each way for a job to end comes up."""
    reports = [run(seed) for seed in range(25)]

    struck = {fault.point.partition(":")[0] for report in reports for fault in report.script.faults}
    ends = {end for report in reports for end in report.ends.values()}
    assert set(RATES) - struck <= {"twice", "out-of-memory", "die-after", "misfit", "zone"}
    assert {end.value for end in ends} == {"succeeded", "failed", "cancelled"}


def _trace_elsewhere(seeds: tuple[int, ...], hash_seed: str) -> list[str]:
    code = f"from tests.simulation.run import run\nfor s in {seeds}: print(run(s).trace)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(_ROOT)},
    )
    return told.stdout.split()
