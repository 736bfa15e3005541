"""Slots, and who takes whose place in them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from executors.errors import ChunkAbortedError, ExecutorError
from executors.status import SUPERSEDED
from tests.support.eventually import eventually
from tests.support.tasks import a_task
from worker.attempts import Attempts


async def test_of_all_that_want_an_older_attempts_place_the_newest_gets_it() -> None:
    attempts = Attempts(3)
    ended: dict[int, ExecutorError] = {}

    async def run(number: int) -> None:
        try:
            async with attempts.begin(replace(a_task(), attempt=number)) as attempt:
                ended[number] = await asyncio.shield(attempt.stopped)
        except ExecutorError as error:
            ended[number] = error

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for number in (1, 2, 3):
            group.create_task(run(number))
        await eventually(lambda: [each.task.attempt for each in attempts.running] == [3])
        attempts.running[0].stop(ChunkAbortedError("enough"))

    assert attempts.running == []
    assert [ended[number].reason for number in (1, 2, 3)] == [
        SUPERSEDED,
        SUPERSEDED,
        "CHUNK_ABORTED",
    ]
