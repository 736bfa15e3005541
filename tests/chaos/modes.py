"""The ways of ill-treating a farm, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .plans import COORDINATOR, Deed, Habit
from .trial import Now, by_frames, by_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What is done, and for whom it is made harder from the beginning."""

    what: str
    habits: Callable[[tuple[int, ...]], tuple[Habit, ...]]
    options: tuple[tuple[str, ...], ...] = ()
    is_wired: bool = False
    is_far: bool = False
    is_clocked: bool = False
    now: Now = by_seconds  # what the habits count by


def _kills(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (
        Habit(deed=Deed.KILL, every=5.0, targets=workers),
        Habit(deed=Deed.KILL, every=20.0, targets=(COORDINATOR,)),
    )


def _freezes(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (
        Habit(deed=Deed.FREEZE, every=6.0, targets=workers, lasts_s=(1.0, 12.0)),
        # Longer than a silent worker is waited for: its chunks are done elsewhere meanwhile.
        Habit(deed=Deed.FREEZE, every=30.0, targets=workers[:1], lasts_s=(31.0, 36.0)),
        Habit(deed=Deed.FREEZE, every=25.0, targets=(COORDINATOR,), lasts_s=(2.0, 8.0)),
    )


def _cuts(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (
        Habit(deed=Deed.RESET, every=4.0, targets=workers, lasts_s=(0.0, 5.0)),
        Habit(deed=Deed.STALL, every=9.0, targets=workers, lasts_s=(2.0, 15.0)),
        Habit(deed=Deed.STALL, every=40.0, targets=workers[:1], lasts_s=(32.0, 40.0)),
        Habit(deed=Deed.DELAY, every=11.0, targets=workers, lasts_s=(3.0, 8.0)),
    )


def _unplugs(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (Habit(deed=Deed.UNPLUG, every=80.0, targets=workers[:1], lasts_s=(2.0, 6.0)),)


def _clocks(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (
        Habit(deed=Deed.SET_CLOCK, every=4.0, targets=(COORDINATOR,), lasts_s=(0.2, 2.0)),
        Habit(deed=Deed.SET_CLOCK, every=3.0, targets=workers, lasts_s=(0.2, 2.0)),
        Habit(deed=Deed.KILL, every=17.0, targets=(COORDINATOR, *workers)),
    )


def _all(workers: tuple[int, ...]) -> tuple[Habit, ...]:
    return (
        Habit(deed=Deed.KILL, every=9.0, targets=workers),
        Habit(deed=Deed.KILL, every=31.0, targets=(COORDINATOR,)),
        Habit(deed=Deed.FREEZE, every=13.0, targets=(COORDINATOR, *workers), lasts_s=(1.0, 9.0)),
        Habit(deed=Deed.RESET, every=8.0, targets=workers, lasts_s=(0.0, 3.0)),
        Habit(deed=Deed.STALL, every=17.0, targets=workers, lasts_s=(2.0, 9.0)),
    )


MODES = {
    "kill": Mode(what="a worker killed every 5 s, the coordinator every 20 s", habits=_kills),
    "freeze": Mode(what="workers and the coordinator stopped for a while", habits=_freezes),
    "cut": Mode(what="connections reset, half-open, and slow", habits=_cuts, is_wired=True),
    "scratch": Mode(
        what="a worker without room for a chunk file, and kills",
        habits=_kills,
        options=(("--scratch", "8KiB"),),
    ),
    "clock": Mode(
        what="clocks set an hour on and back, under a time limit, and kills",
        habits=_clocks,
        is_clocked=True,
    ),
    "far": Mode(
        what="workers in another network: 5 % of packets lost, all 50 to 150 ms late; unplugged",
        habits=_unplugs,
        is_far=True,
        now=by_frames,  # frames come slowly meanwhile
    ),
    "all": Mode(
        what="kills, freezes, resets and half-open connections together",
        habits=_all,
        is_wired=True,
    ),
}
