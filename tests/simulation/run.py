"""A run: a world out of a seed, a storm of faults, the calm after it, and the account."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from coordinator.job import JobState
from coordinator.retention import ORPHAN_AGE
from executors.tasks import task_group

from . import closing
from .audit import audit
from .chance import Chance, Script
from .loop import Limits, SimulationError, VirtualLoop, simulate
from .memory_store import Disk
from .network import Network
from .plans import World, draw_world
from .reign import Throne
from .room import Room
from .runner import Cupboard
from .users import User
from .wall import Wall, jump_s
from .watch import Watch
from .world import TICK_S, Pods

# What liveness allows for after the storm, beside the work: rests of workers, lost connections,
# attempts that hang, and each a few times.
PATIENCE_S: Final = 900.0
AUDIT_S: Final = 0.25
_LIMITS: Final = Limits(virtual_s=7_200.0, steps=3_000_000, wall_s=40.0)
_SHOWN: Final = 60
_FULL: Final = 0.7


@dataclass(slots=True)
class Report:
    """What a run was."""

    seed: int
    script: Script
    trace: str = ""
    steps: int = 0
    virtual_s: float = 0.0
    ends: dict[str, JobState] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    fault: SimulationError | None = None
    timeline: list[tuple[float, str]] = field(default_factory=list)

    @property
    def rule(self) -> str:
        return getattr(self.fault, "rule", type(self.fault).__name__ if self.fault else "")

    def story(self) -> str:
        """Seed, commit, faults and the end of the timeline: all that finding the cause needs."""
        lines = [f"{seconds:10.3f}  {what}" for seconds, what in self.timeline[-_SHOWN:]]
        faults = [f"{each.point} #{each.n} ({each.value})" for each in self.script.faults]
        return "\n".join(
            [
                f"seed {self.seed} at commit {_commit()}: {self.fault}",
                f"{len(faults)} faults: {', '.join(faults[:_SHOWN])}",
                *lines,
            ]
        )


def run(seed: int, script: Script | None = None, world: World | None = None) -> Report:
    """Run a seed's world, with the faults that it draws or with those of a script."""
    chance = Chance(seed, script)
    loop = VirtualLoop(_LIMITS)
    stage = Stage(chance, world or draw_world(chance))
    fault: SimulationError | None = None
    try:
        simulate(stage.play(), loop=loop)
    except SimulationError as error:
        fault = error
    except Exception as error:  # noqa: BLE001  # whatever broke, it has a seed
        fault = SimulationError(f"{type(error).__name__}: {error}")
        fault.__cause__ = error
    watch = stage.watch
    assert watch is not None
    return Report(
        seed=seed,
        script=chance.as_script(),
        trace=watch.trace,
        steps=loop.steps,
        virtual_s=loop.time(),
        ends={job_id: end.state for job_id, end in watch.first_end.items()},
        messages=dict(watch.messages),
        fault=fault,
        timeline=watch.timeline,
    )


class Stage:
    """Everything of a run, put up inside its event loop."""

    def __init__(self, chance: Chance, world: World) -> None:
        self.chance = chance
        self.world = world
        self.watch: Watch | None = None

    async def play(self) -> None:
        self.watch = watch = Watch()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        room, wall = Room(), Wall(loop)
        cupboard = Cupboard(watch, loop, room, wall)
        network = Network(self.chance, watch, room, wall)
        disk = Disk(self.chance, watch, wall, room if self.world.is_one_disk else None)
        pods = Pods(self.world, network, self.chance)
        network.is_listed = pods.is_listed
        throne = Throne(pods, network, disk, cupboard)
        watch.look_at(network, disk, cupboard, self.world)
        users = [
            User(plan, throne, network, disk, self.chance, number)
            for number, plan in enumerate(self.world.jobs)
        ]
        for user in users:
            user.others = [users[number] for number in user.plan.after]
        watch.users = users
        pods.start_all()
        throne.begin()
        async with task_group() as group:
            auditing = group.create_task(self._audit(throne, watch), name="audit")
            for user in users:
                group.create_task(user.live(), name=f"user-{user.number}")
            storm = group.create_task(pods.storm(), name="storm")
            await self._upset(throne, room)
            await storm
            self.chance.is_calm = watch.is_calm = True
            pods.calm()
            room.empty()
            watch.note("the storm is over")
            until_s = loop.time() + PATIENCE_S + 2 * self.world.work_s
            overdue = loop.call_at(until_s, watch.overdue)
            await self._all_over(users)
            overdue.cancel()
            auditing.cancel()
        await self._leave(throne, watch)

    async def _all_over(self, users: Sequence[User]) -> None:
        for user in users:
            await user.over.wait()

    async def _audit(self, throne: Throne, watch: Watch) -> None:
        while True:
            await asyncio.sleep(AUDIT_S)
            for reign in throne.reigns:
                audit(reign, watch)
            closing.check_workers(watch)
            closing.check_late(watch)

    async def _upset(self, throne: Throne, room: Room) -> None:
        """What befalls the coordinator itself, tick by tick."""
        for _ in range(int(self.world.storm_s / TICK_S)):
            await asyncio.sleep(TICK_S)
            if (value := self.chance.strikes("die", seconds=TICK_S)) is not None:
                # Not now, but so many steps later: between any two that somebody takes.
                throne.loop.after_steps(
                    1 + int(200 * value), partial(throne.kill, back_after_s=5 * value)
                )
            if self.chance.strikes("restart", seconds=TICK_S) is not None:
                throne.restart()
            if (value := self.chance.strikes("usurp", seconds=TICK_S)) is not None:
                throne.usurp(value)
            if (value := self.chance.strikes("clock", seconds=TICK_S)) is not None:
                throne.jump(jump_s(value))
            if (value := self.chance.strikes("disk-full", seconds=TICK_S)) is not None:
                # Full at once, or so full that nothing more begins.
                throne.fill(room, left_bytes=0 if value < _FULL else 1 << 20, for_s=1 + 15 * value)

    async def _leave(self, throne: Throne, watch: Watch) -> None:
        """Everything is done: what is left?"""
        await asyncio.sleep(40.0)  # attempts that nobody came for are ended by their workers
        closing.check_rest(watch)
        await throne.sweep_after(ORPHAN_AGE + timedelta(days=1))
        closing.check_swept(watch)
        await throne.end()
        await asyncio.sleep(1.0)
        closing.check_end(watch, throne.processes)


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    return told.stdout.strip() or "unknown"
