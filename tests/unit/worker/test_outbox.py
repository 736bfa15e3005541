from __future__ import annotations

import asyncio
from typing import Any

from executors.base import AttemptStarted, Filmed, FramesDone, PageLog
from tests.support.eventually import eventually
from worker.outbox import MAX_LOG_CHARS, MAX_LOGS, SEND_INTERVAL_S, Outbox


class Reader:
    """A caller's side of a stream; slow when it is told to be."""

    def __init__(self, delay_s: float = 0) -> None:
        self.seen: list[Any] = []
        self._delay_s = delay_s

    async def write(self, message: Any) -> None:
        await asyncio.sleep(self._delay_s)
        self.seen.append(message)


async def sent(outbox: Outbox, reader: Reader) -> list[Any]:
    outbox.close()
    await outbox.send(reader.write)
    return reader.seen


async def test_of_many_frames_only_the_latest_is_sent() -> None:
    outbox = Outbox()
    for done in range(1, 1_000):
        outbox.put(FramesDone(done))

    messages = await sent(outbox, Reader())

    assert [message.progress.frames for message in messages] == [999]


async def test_console_lines_keep_their_order_and_come_before_progress() -> None:
    outbox = Outbox()
    outbox.put(FramesDone(1))
    outbox.put(PageLog("log", "one"))
    outbox.put(PageLog("error", "two"))

    messages = await sent(outbox, Reader())

    assert [message.WhichOneof("step") for message in messages] == ["log", "log", "progress"]
    assert [message.log.text for message in messages[:2]] == ["one", "two"]


async def test_a_page_that_talks_too_much_is_heard_at_the_end_and_in_short() -> None:
    outbox = Outbox()
    for number in range(MAX_LOGS + 5):
        outbox.put(PageLog("log", f"{number}" + "x" * 10_000))

    messages = await sent(outbox, Reader())

    assert len(messages) == MAX_LOGS
    assert messages[-1].log.text.startswith(f"{MAX_LOGS + 4}x")
    assert all(len(message.log.text) == MAX_LOG_CHARS for message in messages)


async def test_where_an_attempt_runs_is_no_news_to_its_caller() -> None:
    outbox = Outbox()
    outbox.put(AttemptStarted("here", 1))

    assert await sent(outbox, Reader()) == []


async def test_putting_never_waits_for_a_slow_reader() -> None:
    outbox, reader = Outbox(), Reader(delay_s=0.05)
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.send(reader.write))
        for done in range(1, 10_001):
            outbox.put(FramesDone(done))
        await asyncio.sleep(0)
        outbox.close()

    assert reader.seen[-1].progress.frames == 10_000
    assert len(reader.seen) <= 2


async def test_that_a_chunk_is_filmed_is_told_at_once_and_so_is_the_end() -> None:
    outbox, reader = Outbox(), Reader()
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.send(reader.write))
        outbox.put(FramesDone(1))
        await eventually(lambda: len(reader.seen) == 1)
        began_s = loop.time()
        outbox.put(FramesDone(2))
        outbox.put(Filmed())
        await eventually(lambda: len(reader.seen) == 3)
        outbox.put(FramesDone(2))
        outbox.close()

    assert loop.time() - began_s < SEND_INTERVAL_S / 2
    steps = [message.WhichOneof("step") for message in reader.seen]
    assert steps == ["progress", "progress", "filmed", "progress"]
