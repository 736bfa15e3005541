"""Slots, and who takes whose place in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from executors.base import OnProgress
from executors.errors import ChunkAbortedError, ExecutorError
from executors.status import SUPERSEDED
from tests.support.eventually import eventually
from tests.support.tasks import a_task
from worker.attempt import Answer
from worker.attempts import open_attempts


@asynccontextmanager
async def endless(hear: OnProgress) -> AsyncGenerator[Answer]:
    del hear
    yield await asyncio.get_running_loop().create_future()


async def test_of_all_that_want_an_older_attempts_place_the_newest_gets_it() -> None:
    ended: dict[int, ExecutorError | None] = {}
    async with open_attempts(3) as attempts:

        async def run(number: int) -> None:
            try:
                attempt = await attempts.begin(replace(a_task(), attempt=number), endless)
                ended[number] = await asyncio.shield(attempt.released)
            except ExecutorError as error:
                ended[number] = error

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in (1, 2, 3):
                group.create_task(run(number))
            await eventually(lambda: [each.task.attempt for each in attempts.running] == [3])
            attempts.running[0].stop(ChunkAbortedError("enough"))

        await eventually(lambda: attempts.running == [])
    reasons = [error.reason for _, error in sorted(ended.items()) if error]
    assert reasons == [SUPERSEDED, SUPERSEDED, "CHUNK_ABORTED"]
