"""Scenarios: worlds and faults by plan, for what chance brings together too rarely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from coordinator.job import JobState
from tests.support.tasks import a_spec

from .chance import Fault, Script
from .machine import MachineSpec
from .plans import JobPlan, World
from .run import Report, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    world: World
    faults: tuple[Fault, ...]
    ends: tuple[JobState, ...] = (JobState.SUCCEEDED,)  # of its jobs

    def is_well(self, report: Report) -> bool:
        return report.fault is None and tuple(report.ends.values()) == self.ends

    def run(self) -> Report:
        return run(1, Script(seed=1, faults=self.faults, why=self.name), self.world)


def _workers(count: int) -> tuple[MachineSpec, ...]:
    return tuple(
        MachineSpec(address=f"w{each}:1", name=f"worker-{each}", slots=1, frame_s=0.1)
        for each in range(count)
    )


_LATE: Final = JobPlan(
    at_s=1.0,
    spec=replace(a_spec(100), time_limit_s=600.0),
    user="ada",
    pauses=((0.5, 300.0),),
)
_TWO_CHUNKS: Final = JobPlan(at_s=1.0, spec=a_spec(60, chunk_frames=30), user="ada")

# Its own time is not over by that.
CLOCK_JUMPS: Final = Scenario(
    name="the clock jumps over the end of a paused job's time",
    world=World(machines=_workers(1), jobs=(_LATE,), storm_s=10.0),
    faults=(Fault("clock:", 10, 0.82),),  # by a quarter of an hour
)
# Both attempts at a chunk are slow, so that the first one comes first.
REFUSED_WITH_A_SECOND_ATTEMPT: Final = Scenario(
    name="a file is refused while a second attempt at its chunk runs",
    world=World(machines=_workers(2), jobs=(_TWO_CHUNKS,), storm_s=20.0),
    faults=(
        Fault("forge:w0:1", 1, 0.5),
        Fault("slow:w0:1", 1, 0.5),
        Fault("slow:w1:1", 2, 0.5),
    ),
)
SCENARIOS: Final = (CLOCK_JUMPS, REFUSED_WITH_A_SECOND_ATTEMPT)
