"""Network: machines at addresses, the lines to them, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from .chance import Chance
from .fake_worker import KEEPALIVE_S, Call, FakeWorker, Line
from .loop import Process, VirtualLoop
from .machine import Machine, MachineSpec
from .room import Room
from .wall import Wall

if TYPE_CHECKING:
    from .watch import Watch

_USUAL_S: Final = 0.0005
_TAIL: Final = 1.3
_SLOWEST_S: Final = 1.0


class Network:
    """The world outside of the coordinator's processes, but for the store and the users."""

    def __init__(self, chance: Chance, watch: Watch, room: Room, wall: Wall) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.context = contextvars.copy_context()
        self.chance = chance
        self.watch = watch
        self.wall = wall
        self._room = room  # of the coordinators: where workers' chunks arrive
        self.cuts: dict[str, set[str]] = {}
        self.is_listed: Callable[[str], bool] = lambda _: True  # whether discovery names it
        self._machines: dict[str, Machine] = {}
        self._instances = itertools.count(1)
        self._silent: set[str] = set()  # nobody there even refuses a connection
        self._lines: dict[tuple[Process, str], Line] = {}
        self._latencies: dict[str, Random] = {}

    @property
    def machines(self) -> list[Machine]:
        return list(self._machines.values())

    def machine(self, address: str) -> Machine | None:
        return self._machines.get(address)

    def connect(self, process: Process, *, term: int) -> Callable[[str], FakeWorker]:
        """The way to workers for a process; what it is connected to hears of its death."""
        process.on_death.append(lambda: self._hang_up(process))

        def connect_to(address: str) -> FakeWorker:
            line = self._lines.setdefault(
                (process, address), Line(network=self, process=process, address=address)
            )
            return FakeWorker(line, term=term)

        return connect_to

    def is_closed_to(self, process: Process) -> bool:
        return process in self.loop.dead

    def calls(self, process: Process) -> list[Call]:
        lines = (line for line in self._lines.values() if line.process is process)
        return [call for line in lines for call in line.calls]

    def later(self, seconds: float, act: Callable[..., object], *args: object) -> None:
        """Have the world do something, whoever's code asks for it."""
        self.loop.call_later(seconds, act, *args, context=self.context)

    # -- machines come and go ----------------------------------------------------------------------

    def start(self, spec: MachineSpec) -> Machine:
        machine = Machine(spec, self.chance, self.context, instance=str(next(self._instances)))
        self._machines[spec.address] = machine
        self._silent.discard(spec.address)
        self.watch.machine_started(machine)
        return machine

    def crash(self, machine: Machine) -> None:
        """The process dies; its machine answers for it at once."""
        address = self._take_down(machine)
        for line in self._at(address):
            line.snap_all("connection reset")

    def vanish(self, machine: Machine) -> None:
        """Nobody answers any more; who is connected finds out by keepalive."""
        address = self._take_down(machine)
        self._silent.add(address)
        self.later(KEEPALIVE_S, self._find_dead, address, machine)

    def cut(self, address: str, way: str, *, for_s: float) -> None:
        """Let nothing through on a way for some time."""
        cuts = self.cuts.setdefault(address, set())
        if way in cuts:
            return
        cuts.add(way)
        self.later(for_s, self._heal, address, way)
        if for_s > KEEPALIVE_S:
            self.later(KEEPALIVE_S, self._break_lines, address)

    def heal_all(self) -> None:
        for address, ways in self.cuts.items():
            for way in sorted(ways):
                self._heal(address, way)

    # -- the way ----------------------------------------------------------------------------------

    def latency_s(self, address: str) -> float:
        draw = self._latencies.get(address)
        if draw is None:
            draw = self._latencies[address] = self.chance.named(f"latency/{address}")
        tail: float = (1.0 - draw.random()) ** (-1.0 / _TAIL)  # Pareto: most are fast
        return min(_SLOWEST_S, _USUAL_S * tail)

    def reachable(self, line: Line, way: str) -> Machine | None:
        machine = self._machines.get(line.address)
        return None if machine is None or way in line.cut else machine

    def refuses(self, address: str) -> bool:
        """Whether a machine is there on which no worker listens."""
        return address not in self._machines and address not in self._silent

    def put_file(self, path: Path, content: str) -> bool:
        """Keep a chunk that has come, if there is a place for it."""
        if not self._room.is_full:
            self._room.files[path] = content
        return not self._room.is_full

    # -- inside -----------------------------------------------------------------------------------

    def _take_down(self, machine: Machine) -> str:
        address = machine.spec.address
        machine.die()
        if self._machines.get(address) is machine:
            del self._machines[address]
        self.watch.machine_ended(machine)
        return address

    def _find_dead(self, address: str, machine: Machine) -> None:
        for line in self._at(address):
            for call in list(line.calls):
                if call.machine is machine:
                    line.snap(call, "no answer to keepalive")

    def _heal(self, address: str, way: str) -> None:
        self.cuts[address].discard(way)
        for line in self._at(address):
            line.flush()

    def _break_lines(self, address: str) -> None:
        for line in self._at(address):
            self._break(line, "no answer to keepalive")

    def _break(self, line: Line, problem: str) -> None:
        """Both ends find out, also about what was said last and is still on its way."""
        line.snap_all(problem)
        if machine := self._machines.get(line.address):
            machine.lose_all(line)

    def _at(self, address: str) -> list[Line]:
        return [line for line in self._lines.values() if line.address == address]

    def _hang_up(self, process: Process) -> None:
        for line in [line for line in self._lines.values() if line.process is process]:
            self._break(line, "the caller died")
            del self._lines[(process, line.address)]
