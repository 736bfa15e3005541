"""Chance: every random choice of a run, by name; and the script of the faults that struck."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

# How often each kind of fault strikes, by what it strikes: "a call" to a worker or the store, or
# "a second" of a worker, of the coordinator or of discovery. Each run draws which kinds it has, and
# how often (swarm testing: all faults at once hide each other).
RATES: Final[Mapping[str, tuple[float, ...]]] = {
    # a call to a worker
    "refuse": (0.0, 0.02, 0.2),  # the connection cannot be made
    "reset": (0.0, 0.02, 0.15),  # it breaks in mid-stream
    "lose-reply": (0.0, 0.03, 0.2),  # it breaks when the chunk is done and its file is on the way
    "twice": (0.0, 0.02, 0.1),  # the call comes twice, as after a retry in the transport
    "damage": (0.0, 0.02, 0.1),  # the bytes that come are not those that were sent
    "crash-render": (0.0, 0.02, 0.1),  # the renderer breaks
    "hang": (0.0, 0.01, 0.05),  # no frame comes any more, but the worker answers
    "slow": (0.0, 0.02, 0.1),  # twenty times slower
    "out-of-memory": (0.0, 0.01, 0.05),
    "mislay": (0.0, 0.02, 0.1),  # an answer to "how are you" gets lost
    # a second of a worker
    "crash": (0.0, 0.005, 0.03),  # its process dies and, later, another one has its address
    "vanish": (0.0, 0.003, 0.01),  # its machine does: nobody says so until keepalive
    "drain": (0.0, 0.005, 0.02),  # SIGTERM: it ends what it can in its grace, and goes
    "cut-up": (0.0, 0.005, 0.02),  # what is sent to it does not come
    "cut-down": (0.0, 0.005, 0.02),  # what it sends does not come
    "unlist": (0.0, 0.005, 0.02),  # discovery does not name it for a while
    "lie": (0.0, 0.01, 0.05),  # it says that it has more slots than it has
    # a second of discovery
    "discovery-down": (0.0, 0.01, 0.05),
    "discovery-empty": (0.0, 0.005, 0.02),
    # a call to the store
    "store-slow": (0.0, 0.02, 0.1),
    "store-before": (0.0, 0.01, 0.05),  # it fails, and nothing was kept
    "store-after": (0.0, 0.01, 0.05),  # it fails, and all was kept
    "die-before": (
        0.0,
        0.002,
        0.01,
    ),  # the coordinator dies in the call, before or after the commit
    "die-after": (0.0, 0.002, 0.01),
    # a second of the coordinator
    "die": (0.0, 0.01, 0.03),
    "restart": (0.0, 0.005, 0.02),  # SIGTERM, and another one after it
    "usurp": (0.0, 0.005, 0.02),  # another one takes the lead while it lives
}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """The `n`-th time that `point` came by, a fault struck; `value` in [0, 1) says how hard."""

    point: str
    n: int
    value: float


@dataclass(frozen=True, slots=True)
class Script:
    """A run that can be had again, and cut down: the world by its seed, faults one by one."""

    seed: int
    faults: tuple[Fault, ...]
    why: str = ""

    def to_json(self) -> str:
        rows = [json.dumps([each.point, each.n, round(each.value, 6)]) for each in self.faults]
        faults = ",\n  ".join(rows)
        head = f'"why": {json.dumps(self.why)},\n "seed": {self.seed}'
        return f'{{{head},\n "faults": [\n  {faults}\n]}}\n'

    @classmethod
    def from_file(cls, path: Path) -> Script:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        faults = tuple(Fault(point, n, value) for point, n, value in told["faults"])
        return cls(seed=told["seed"], faults=faults, why=told["why"])


@dataclass(slots=True)
class Chance:
    """The choices of one run. Each name has a generator of its own: a draw shifts no others."""

    seed: int
    script: Script | None = None
    is_calm: bool = False  # no faults strike (any more)
    struck: list[Fault] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    _generators: dict[str, Random] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _planned: dict[tuple[str, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = self.named("rates")
        self.rates = {kind: draw.choice(rates) for kind, rates in RATES.items()}
        faults: Iterable[Fault] = self.script.faults if self.script else ()
        self._planned = {(each.point, each.n): each.value for each in faults}

    def named(self, name: str) -> Random:
        generator = self._generators.get(name)
        if generator is None:
            generator = self._generators[name] = Random(f"{self.seed}/{name}")
        return generator

    def strikes(self, kind: str, where: str = "", *, seconds: float = 1.0) -> float | None:
        """Tell whether a fault of this kind strikes here and now, and how hard (in [0, 1))."""
        rate = self.rates[kind]
        if self.script is None and rate == 0.0:
            return None
        point = f"{kind}:{where}"
        n = self._counts[point] = self._counts[point] + 1
        value = self._value(point, n, rate * seconds)
        if value is None or self.is_calm:
            return None
        self.struck.append(Fault(point, n, value))
        return value

    def _value(self, point: str, n: int, chance: float) -> float | None:
        if self.script is not None:
            return self._planned.get((point, n))
        draw = self.named(point)
        return round(draw.random(), 6) if draw.random() < chance else None

    def as_script(self, why: str = "") -> Script:
        return Script(seed=self.seed, faults=tuple(self.struck), why=why)
