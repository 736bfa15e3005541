"""Pods: the workers of a world as discovery sees them, and what befalls them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from .chance import Chance
from .machine import ENGINES, Machine, MachineSpec
from .network import Network
from .plans import World

TICK_S: Final = 0.5
_LONGEST_CUT_S: Final = 60.0


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

    def is_listed(self, address: str) -> bool:
        return not (self.is_down or self.is_empty or address in self.hidden)

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
            if (value := self.chance.strikes("zone", seconds=TICK_S)) is not None:
                self._lose_zone(value)

    def calm(self) -> None:
        """Every worker is there again, or soon will be, and is named and reached."""
        self.network.heal_all()
        self.is_down = self.is_empty = False
        self.hidden.clear()
        for machine in self.network.machines:
            machine.extra_slots = 0
            machine.is_full = False
            if machine.is_misfit:
                self._crash(machine, 1.0)

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
            "scratch-full": lambda value: self._fill(machine, 1 + 25 * value),
            "misfit": lambda value: self._misfit(machine, 5 + 15 * value),
            "upgrade": lambda value: self._upgrade(machine, 0.5 + 5 * value),
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

    def _lose_zone(self, value: float) -> None:
        """Every other worker is gone at once, and comes back."""
        self.network.watch.note("a zone is lost")
        for spec in self.world.machines[::2]:
            if machine := self.network.machine(spec.address):
                self._vanish(machine, 5 + 30 * value)

    def _drain(self, machine: Machine, back_after_s: float) -> None:
        self._leave(machine, machine.spec, back_after_s)

    def _upgrade(self, machine: Machine, back_after_s: float) -> None:
        """As when pods are replaced one by one: it drains, and the next one has another engine."""
        self._leave(machine, replace(machine.spec, fingerprint=ENGINES[-1]), back_after_s)

    def _leave(self, machine: Machine, heir: MachineSpec, back_after_s: float) -> None:
        self._unlist(machine.spec.address, 8 + back_after_s)

        def leave() -> None:
            if machine.is_up:
                self.network.crash(machine)
                self._later(back_after_s, lambda: self._start(heir))

        machine.drain(leave)

    def _cut(self, address: str, way: str, value: float) -> None:
        self.network.cut(address, way, for_s=0.5 + _LONGEST_CUT_S * value**3)

    def _unlist(self, address: str, for_s: float) -> None:
        self.hidden.add(address)
        self._later(for_s, lambda: self.hidden.discard(address))

    def _lie(self, machine: Machine, extra: int) -> None:
        machine.extra_slots = extra
        self._later(10.0, lambda: setattr(machine, "extra_slots", 0))

    def _fill(self, machine: Machine, for_s: float) -> None:
        machine.is_full = True
        self._later(for_s, lambda: setattr(machine, "is_full", False))

    def _misfit(self, machine: Machine, for_s: float) -> None:
        machine.is_misfit = True
        self._later(for_s, lambda: self._crash(machine, 1.0) if machine.is_up else None)

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
