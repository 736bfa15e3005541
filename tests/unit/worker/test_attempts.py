"""Slots, and who takes whose place in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from executors.base import Filmed, OnProgress
from executors.errors import ChunkAbortedError, ExecutorError, WorkerBusyError
from executors.status import SLOTS_FULL, SUPERSEDED
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


async def test_what_is_filmed_has_no_slot_and_no_more_than_two_attempts_a_slot_are_here() -> None:
    films = list[asyncio.Event]()

    @asynccontextmanager
    async def a_film(hear: OnProgress) -> AsyncGenerator[Answer]:
        films.append(is_filmed := asyncio.Event())
        await is_filmed.wait()
        hear(Filmed())
        hear(Filmed())
        yield await asyncio.get_running_loop().create_future()

    async def begin(index: int) -> None:
        await attempts.begin(replace(a_task(), index=index), a_film)
        await eventually(lambda: len(films) > index)

    async with open_attempts(2) as attempts:
        free = [attempts.free_slots]
        for index in range(4):
            await begin(index)
            free.append(attempts.free_slots)
            films[index].set()
            await eventually(lambda: all(not each.holds_slot for each in attempts.running))
            free.append(attempts.free_slots)
        with pytest.raises(WorkerBusyError, match="and 4 chunks are encoded or wait") as caught:
            await begin(4)
        attempts.running[0].stop(ChunkAbortedError("enough"))
        await eventually(lambda: len(attempts.running) == 3)

        assert free == [2, 1, 2, 1, 2, 1, 1, 0, 0]
        assert caught.value.reason == SLOTS_FULL
        assert attempts.free_slots == 1
        await begin(4)
