"""Plans: what a world is, and what users will ask of it; and the themes that some worlds have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from coordinator.job import JobSpec
from executors.base import Share
from tests.support.tasks import a_spec

from .chance import PLAIN, Chance
from .machine import ENGINES, MachineSpec

_DAY_S: Final = 86_400.0
_LONG_STORM_S: Final = 60.0
_TELLS_FILMED: Final = 0.85  # of the workers; the others are older


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job that a user will submit."""

    at_s: float
    spec: JobSpec
    user: str
    copies: int = 1  # how often it is submitted, with one request id
    cancel_after_s: float | None = None
    pauses: tuple[tuple[float, float], ...] = ()  # after how long, for how long; one by one
    is_poisoned: bool = False
    after: tuple[int, ...] = ()  # other plans of the world, by their place
    delete_after_s: float | None = None  # its end


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How large a run is. `storm_s` is how long faults strike."""

    machines: tuple[MachineSpec, ...]
    jobs: tuple[JobPlan, ...]
    storm_s: float
    keep_s: float | None = None  # how long a job that has ended is kept
    is_one_disk: bool = False  # the store is on the disk of the chunks

    @property
    def work_s(self) -> float:
        """What one slot of the slowest worker would take for all of it."""
        slowest = max(each.frame_s for each in self.machines)
        return slowest * sum(len(job.spec.frames) for job in self.jobs)


def draw_world(chance: Chance) -> World:
    draw = chance.named("world")
    storm_s = draw.choice((10.0, 20.0, 40.0))
    count = draw.randint(2, 7)
    machines = tuple(
        MachineSpec(
            address=f"w{number}:1",
            name=f"worker-{number}",
            slots=draw.choice((1, 1, 2, 3)),
            frame_s=draw.choice((0.03, 0.05, 0.1, 0.2)),
            fingerprint=ENGINES[0],
            tells_filmed=chance.named(f"tells/{number}").random() < _TELLS_FILMED,
        )
        for number in range(count)
    )
    jobs = tuple(_draw_job(chance, number, storm_s) for number in range(draw.randint(1, 4)))
    world = World(machines=machines, jobs=jobs, storm_s=storm_s)
    return world if chance.theme == PLAIN else _themed(world, chance)


def _draw_job(chance: Chance, number: int, storm_s: float) -> JobPlan:
    draw = chance.named(f"job/{number}")
    chunks, length = draw.randint(1, 16), draw.choice((4, 10, 30))
    frames = max(1, chunks * length - draw.randint(0, length - 1))
    is_cancelled, is_poisoned = draw.random() < 0.2, draw.random() < 0.1
    is_paused = draw.random() < 0.2
    user = draw.choice(("ada", "bo"))
    spec = a_spec(frames, chunk_frames=length)
    if is_poisoned:
        spec = a_spec(frames, chunk_frames=length, throw=draw.randrange(frames))
    return JobPlan(
        at_s=draw.random() * storm_s / 2,
        spec=replace(spec, share=Share(user=user, priority=draw.choice((10, 50, 50, 90)))),
        user=user,
        copies=draw.choice((1, 1, 2)),
        cancel_after_s=draw.random() * 10 if is_cancelled else None,
        pauses=((draw.random() * 10, 4.0),) if is_paused else (),
        is_poisoned=is_poisoned,
    )


def _themed(world: World, chance: Chance) -> World:
    """The same world with all that a plain one has not, and more of its theme."""
    draw = chance.named("extras")
    is_mixed = draw.random() < (0.5 if chance.theme == "engines" else 0.1)
    machines = tuple(_any_engine(each, chance) if is_mixed else each for each in world.machines)
    jobs = tuple(_extra(plan, number, chance) for number, plan in enumerate(world.jobs))
    if chance.theme == "tail":
        jobs = tuple(_short(plan, chance.named(f"short/{n}")) for n, plan in enumerate(jobs[:2]))
    if chance.theme == "engines":
        jobs = tuple(_long(plan, chance.named(f"long/{n}")) for n, plan in enumerate(jobs[:2]))
    return replace(
        world,
        storm_s=_LONG_STORM_S if chance.theme == "engines" else world.storm_s,
        machines=machines,
        jobs=jobs,
        keep_s=draw.choice((None, None, 60.0, _DAY_S)),
        is_one_disk=draw.random() < 0.5,
    )


def _any_engine(spec: MachineSpec, chance: Chance) -> MachineSpec:
    return replace(spec, fingerprint=chance.named(f"engine/{spec.address}").choice(ENGINES))


def _extra(plan: JobPlan, number: int, chance: Chance) -> JobPlan:
    draw, much = chance.named(f"extra/{number}"), 3.0 if chance.theme == "line" else 1.0
    after = tuple(each for each in range(number) if draw.random() < 0.15 * much)
    limit_s = draw.choice((3.0, 15.0, 60.0, 600.0, _DAY_S)) if draw.random() < 0.2 * much else None
    share = replace(plan.spec.share, priority=draw.choice((0, 10, 50, 50, 90)))
    pauses = tuple(_draw_pauses(plan, draw))
    if chance.theme == "line" and limit_s is not None and draw.random() < 0.5:
        pauses = ((draw.random() * 3, 300.0),)  # so long that the clock alone tells its end
    return replace(
        plan,
        spec=replace(plan.spec, time_limit_s=limit_s, share=share),
        after=after,
        pauses=pauses,
        delete_after_s=draw.random() * 5 if draw.random() < 0.2 else None,
    )


def _draw_pauses(plan: JobPlan, draw: Random) -> list[tuple[float, float]]:
    """Often none; else up to three, some of them longer than the storm."""
    count = draw.randint(1, 3) if plan.pauses or draw.random() < 0.15 else 0
    return [(draw.random() * 8, draw.choice((0.3, 4.0, 4.0, 15.0, 90.0))) for _ in range(count)]


def _long(plan: JobPlan, draw: Random) -> JobPlan:
    """Enough chunks for workers to become others on the way."""
    if plan.is_poisoned:
        return plan
    frames = replace(plan.spec.frames, stop=30 * draw.randint(20, 40))
    spec = replace(plan.spec, frames=frames, chunk_frames=30, time_limit_s=None)
    return replace(plan, spec=spec, at_s=plan.at_s / 5, cancel_after_s=None)


def _short(plan: JobPlan, draw: Random) -> JobPlan:
    """As few chunks as leave slots free, and such as take long enough for a second attempt."""
    if plan.is_poisoned:
        return plan
    length = 30
    spec = replace(
        plan.spec,
        frames=replace(plan.spec.frames, stop=length * draw.randint(2, 5)),
        chunk_frames=length,
    )
    return replace(plan, spec=spec, cancel_after_s=None, pauses=())
