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
    "break-encoder": (0.0, 0.02, 0.1),  # when all frames are filmed
    "hang": (0.0, 0.01, 0.05),  # no frame comes any more, but the worker answers
    "slow": (0.0, 0.02, 0.1),  # twenty times slower
    "out-of-memory": (0.0, 0.01, 0.05),
    "mislay": (0.0, 0.02, 0.1),  # an answer to "how are you" gets lost
    "forge": (0.0, 0.0, 0.1),  # its file has other frames than it says
    # a second of a worker
    "crash": (0.0, 0.005, 0.03),  # its process dies and, later, another one has its address
    "vanish": (0.0, 0.003, 0.01),  # its machine does: nobody says so until keepalive
    "drain": (0.0, 0.005, 0.02),  # SIGTERM: it ends what it can in its grace, and goes
    "cut-up": (0.0, 0.005, 0.02),  # what is sent to it does not come
    "cut-down": (0.0, 0.005, 0.02),  # what it sends does not come
    "unlist": (0.0, 0.005, 0.02),  # discovery does not name it for a while
    "lie": (0.0, 0.01, 0.05),  # it says that it has more slots than it has
    "scratch-full": (0.0, 0.005, 0.03),  # its disk is full, until somebody has made room
    "misfit": (0.0, 0.0, 0.01),  # it cannot render at all, until it is set up anew
    "upgrade": (0.0, 0.0, 0.01),  # it goes, and another engine has its address
    # a second of discovery
    "discovery-down": (0.0, 0.01, 0.05),
    "discovery-empty": (0.0, 0.005, 0.02),
    "zone": (0.0, 0.0, 0.02),  # every other worker's machine is gone at once
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
    "clock": (0.0, 0.02, 0.1),  # the time of day jumps, either way
    "disk-full": (0.0, 0.01, 0.04),  # no room for chunks, nor, in some worlds, for the store
}

# As worlds were when the first scripts were kept: without deadlines, other engines and the like.
PLAIN: Final = "plain"
# Some worlds have a theme, for what it takes comes together by itself but rarely.
THEMED: Final[Mapping[str, Mapping[str, float]]] = {
    "": {},
    "tail": {
        "slow": 0.4,
        "forge": 0.15,
    },  # few chunks for many slots: what is slow gets a second attempt
    "engines": {"upgrade": 0.06},  # two kinds of workers, and some that change
    "line": {},  # jobs that come after others, with little time, and clocks that jump
    "rotten": {"crash-render:w0:1": 0.8},  # one worker breaks most of what it gets
    PLAIN: {},
}
_DRAWN: Final = ("", "", "", *(theme for theme in THEMED if theme != PLAIN))


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
    theme: str = PLAIN

    def to_json(self) -> str:
        rows = [json.dumps([each.point, each.n, round(each.value, 6)]) for each in self.faults]
        faults = ",\n  ".join(rows)
        why, theme = json.dumps(self.why), json.dumps(self.theme)
        head = f'"why": {why},\n "theme": {theme},\n "seed": {self.seed}'
        return f'{{{head},\n "faults": [\n  {faults}\n]}}\n'

    @classmethod
    def from_file(cls, path: Path) -> Script:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        faults = tuple(Fault(point, n, value) for point, n, value in told["faults"])
        theme = told.get("theme", PLAIN)
        return cls(seed=told["seed"], faults=faults, why=told["why"], theme=theme)


@dataclass(slots=True)
class Chance:
    """The choices of one run. Each name has a generator of its own: a draw shifts no others."""

    seed: int
    script: Script | None = None
    is_calm: bool = False  # no faults strike (any more)
    struck: list[Fault] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    theme: str = ""
    _generators: dict[str, Random] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _planned: dict[tuple[str, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rates = {kind: self.named(f"rate/{kind}").choice(own) for kind, own in RATES.items()}
        self.theme = self.script.theme if self.script else self.named("theme").choice(_DRAWN)
        self.rates |= THEMED[self.theme]
        faults: Iterable[Fault] = self.script.faults if self.script else ()
        self._planned = {(each.point, each.n): each.value for each in faults}

    def named(self, name: str) -> Random:
        generator = self._generators.get(name)
        if generator is None:
            generator = self._generators[name] = Random(f"{self.seed}/{name}")
        return generator

    def strikes(self, kind: str, where: str = "", *, seconds: float = 1.0) -> float | None:
        """Tell whether a fault of this kind strikes here and now, and how hard (in [0, 1))."""
        point = f"{kind}:{where}"
        rate = self.rates.get(point, self.rates[kind])
        if self.script is None and rate == 0.0:
            return None
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
        return Script(self.seed, tuple(self.struck), why, self.theme)
