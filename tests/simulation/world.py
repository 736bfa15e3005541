"""World: the size of a run, drawn by its seed; its workers, and what befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from coordinator.job import JobSpec
from executors.base import Share
from tests.support.tasks import a_spec

from .chance import Chance
from .machine import Machine, MachineSpec
from .network import Network

TICK_S: Final = 0.5
_LONGEST_CUT_S: Final = 60.0
_FINGERPRINT: Final = "engine-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job that a user will submit."""

    at_s: float
    spec: JobSpec
    user: str
    copies: int = 1  # how often it is submitted, with one request id
    cancel_after_s: float | None = None
    pause_after_s: float | None = None
    is_poisoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How large a run is. `storm_s` is how long faults strike."""

    machines: tuple[MachineSpec, ...]
    jobs: tuple[JobPlan, ...]
    storm_s: float

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
            fingerprint=_FINGERPRINT,
        )
        for number in range(count)
    )
    jobs = tuple(_draw_job(chance, number, storm_s) for number in range(draw.randint(1, 4)))
    return World(machines=machines, jobs=jobs, storm_s=storm_s)


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
        pause_after_s=draw.random() * 10 if is_paused else None,
        is_poisoned=is_poisoned,
    )


@dataclass(eq=False, slots=True)
class Pods:
    """The workers' machines: which run, which are named by discovery, and what befalls them."""

    world: World
    network: Network
    chance: Chance
    hidden: set[str] = field(default_factory=set)  # discovery does not name them
    generation: int = 0
    _down_until_s: dict[str, float] = field(default_factory=dict)
    is_down: bool = False
    is_empty: bool = False

    def start_all(self) -> None:
        for spec in self.world.machines:
            self.network.start(spec)

    def names(self) -> frozenset[str]:
        """What discovery answers.

        Raises:
            OSError: it cannot answer now.

        """
        if self.is_down:
            raise OSError("the name server does not answer")
        if self.is_empty:
            return frozenset()
        return frozenset(
            spec.address for spec in self.world.machines if spec.address not in self.hidden
        )

    async def storm(self) -> None:
        """Let faults strike, tick by tick, for the world's time."""
        ticks = int(self.world.storm_s / TICK_S)
        for _ in range(ticks):
            await asyncio.sleep(TICK_S)
            self._strike_discovery()
            for spec in self.world.machines:
                machine = self.network.machine(spec.address)
                if machine is not None:
                    self._strike(machine)

    def calm(self) -> None:
        """Every worker is there again, or soon will be, and is named and reached."""
        self.network.heal_all()
        self.is_down = self.is_empty = False
        self.hidden.clear()
        for machine in self.network.machines:
            machine.extra_slots = 0

    def _strike_discovery(self) -> None:
        for kind in ("discovery-down", "discovery-empty"):
            value = self.chance.strikes(kind, seconds=TICK_S)
            if value is not None:
                self._set_discovery(kind, is_on=True)
                self._later(1 + 9 * value, partial(self._set_discovery, kind, is_on=False))

    def _set_discovery(self, kind: str, *, is_on: bool) -> None:
        if kind == "discovery-down":
            self.is_down = is_on
        else:
            self.is_empty = is_on
        self.network.watch.note(f"{kind}: {'begins' if is_on else 'is over'}")

    def _strike(self, machine: Machine) -> None:
        address = machine.spec.address
        acts: dict[str, Callable[[float], None]] = {
            "crash": lambda value: self._crash(machine, 0.2 + 10 * value**2),
            "vanish": lambda value: self._vanish(machine, 1 + 50 * value**2),
            "drain": lambda value: self._drain(machine, 0.5 + 5 * value),
            "cut-up": lambda value: self._cut(address, "up", value),
            "cut-down": lambda value: self._cut(address, "down", value),
            "unlist": lambda value: self._unlist(address, 1 + 20 * value),
            "lie": lambda value: self._lie(machine, 1 + int(2 * value)),
        }
        for kind, act in acts.items():
            value = self.chance.strikes(kind, address, seconds=TICK_S)
            if value is not None and machine.is_up:
                self.network.watch.note(f"fault: {kind} at {address}")
                act(value)

    def _crash(self, machine: Machine, back_after_s: float) -> None:
        self.network.crash(machine)
        self._later(back_after_s, lambda: self._start(machine.spec))

    def _vanish(self, machine: Machine, back_after_s: float) -> None:
        self.network.vanish(machine)
        self._later(back_after_s, lambda: self._start(machine.spec))

    def _drain(self, machine: Machine, back_after_s: float) -> None:
        self._unlist(machine.spec.address, 8 + back_after_s)

        def leave() -> None:
            if machine.is_up:
                self._crash(machine, back_after_s)

        machine.drain(leave)

    def _cut(self, address: str, way: str, value: float) -> None:
        self.network.cut(address, way, for_s=0.5 + _LONGEST_CUT_S * value**3)

    def _unlist(self, address: str, for_s: float) -> None:
        self.hidden.add(address)
        self._later(for_s, lambda: self.hidden.discard(address))

    def _lie(self, machine: Machine, extra: int) -> None:
        machine.extra_slots = extra
        self._later(10.0, lambda: setattr(machine, "extra_slots", 0))

    def _start(self, spec: MachineSpec) -> None:
        if self.network.machine(spec.address) is None:
            self.network.start(spec)

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        self.network.later(seconds, act)


class PodDiscovery:
    """executors.discovery.Discovery of the simulated world."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods

    async def addresses(self) -> frozenset[str]:
        await asyncio.sleep(0.001)
        return self._pods.names()
