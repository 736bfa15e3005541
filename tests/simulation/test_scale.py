"""Ten thousand workers, in counts: what a chunk costs does not grow with the farm."""

from __future__ import annotations

from random import Random
from typing import Final

import pytest

from tests.support.tasks import a_spec

from .chance import Script
from .machine import MachineSpec
from .plans import JobPlan, World
from .run import run
from .scale import Farm, Flow

COUNTED: Final = ("heappush", "heappop", "views", "commands")


def mixed(workers: int) -> list[float]:
    draw = Random(5)
    return [draw.choice((0.08, 0.1, 0.12)) for _ in range(workers)]


def test_ten_thousand_workers_are_kept_busy_at_the_price_of_a_thousand() -> None:
    small = Flow(Farm(speeds=mixed(1_000), chunks=10_000, lost=0.01)).run()
    large = Flow(Farm(speeds=mixed(10_000), chunks=100_000, lost=0.01)).run()

    assert large.slot_use(10_000) >= 0.95
    for name in COUNTED:
        assert large.operations[name] / 100_000 <= 1.1 * small.operations[name] / 10_000, name
    assert large.operations["events"] / 100_000 <= small.operations["events"] / 10_000


@pytest.mark.parametrize("chunks", [80, 160, 320])
def test_one_slow_worker_of_eight_hardly_delays_the_end(chunks: int) -> None:
    speeds = [0.1] * 7 + [0.4]

    figures = Flow(Farm(speeds=speeds, chunks=chunks, jobs=1)).run()

    ideal_s = chunks * 100 / sum(1 / speed for speed in speeds)
    assert figures.makespan_s <= 1.15 * ideal_s


def test_users_with_equal_shares_get_equal_work_however_many_jobs_they_have() -> None:
    farm = Farm(speeds=mixed(200), chunks=6_000, jobs=10, users=4)  # 3, 3, 2 and 2 jobs

    done = Flow(farm).run().first_half

    assert len(done) == 4
    assert max(done.values()) <= 1.05 * min(done.values())


def test_all_of_the_farms_own_code_runs_with_three_hundred_workers() -> None:
    machines = tuple(
        MachineSpec(address=f"w{each}:1", name=f"worker-{each}", slots=1, frame_s=0.1)
        for each in range(300)
    )
    job = JobPlan(at_s=2.0, spec=a_spec(9_000, chunk_frames=10), user="ada")
    world = World(machines=machines, jobs=(job,), storm_s=5.0)

    report = run(1, Script(seed=1, faults=()), world)

    assert report.fault is None, report.story()
    assert report.messages["render"] == 900
