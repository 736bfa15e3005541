"""The roster: whose silence is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from executors.discovery import FixedWorkers
from executors.errors import WorkerLostError
from executors.roster import Roster
from executors.scheduling.values import Event, WorkerFound, WorkerSilent, WorkerTold
from executors.worker_port import WorkerPort, WorkerReport
from tests.support.eventually import eventually

REPORT = WorkerReport(name="w", version="", fingerprint="f", slots=1, free_slots=1)


@dataclass
class BreakingPort:
    """Its first answer does not come: the connection breaks, and `meanwhile` happens."""

    meanwhile: Callable[[], None] = lambda: None
    asked: int = 0
    closed: list[bool] = field(default_factory=list)

    async def ask(self) -> WorkerReport:
        self.asked += 1
        if self.asked == 1:
            self.meanwhile()
            raise WorkerLostError("the connection broke")
        return REPORT

    async def close(self) -> None:
        self.closed.append(True)


async def told_by(port: BreakingPort, look: bool) -> list[type[Event]]:
    """What a scheduler hears until the worker has answered."""
    heard: list[Event] = []
    roster = Roster(FixedWorkers(frozenset({"w"})), lambda _: cast("WorkerPort", port))
    if look:
        port.meanwhile = lambda: roster.look_at("w")
    keeping = asyncio.create_task(roster.keep_up(heard.append))
    await eventually(lambda: any(isinstance(event, WorkerTold) for event in heard))
    keeping.cancel()
    await asyncio.wait([keeping])
    assert port.closed == [True]
    return [
        type(event) for event in heard if isinstance(event, WorkerFound | WorkerSilent | WorkerTold)
    ]


async def test_a_worker_that_does_not_answer_is_silent() -> None:
    assert await told_by(BreakingPort(), look=False) == [WorkerFound, WorkerSilent, WorkerTold]


async def test_a_question_that_broke_with_an_attempt_is_asked_once_more() -> None:
    assert await told_by(BreakingPort(), look=True) == [WorkerFound, WorkerTold]
