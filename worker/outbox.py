"""Outbox: what a chunk has to say, on its way to a caller who may read slowly."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from executors.base import Filmed, FramesDone, PageLog
from protos.framefarm.v1 import worker_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from executors.base import ChunkEvent

    Tell = Callable[[Any], Awaitable[None]]

# Ten a second are smooth to look at, and nothing beside a frame's cost.
SEND_INTERVAL_S: Final = 0.1
MAX_LOGS: Final = 200
MAX_LOG_CHARS: Final = 4_000


class Outbox:
    """Keeps the latest progress and the last lines of the console; never blocks who puts."""

    def __init__(self) -> None:
        self._frames: int | None = None
        self._is_filmed = False
        self._logs: deque[PageLog] = deque(maxlen=MAX_LOGS)
        self._something = asyncio.Event()
        self._urgent = asyncio.Event()
        self._closed = False

    def put(self, event: ChunkEvent) -> None:
        match event:
            case FramesDone(done):
                self._frames = done
            case Filmed():  # somebody waits for the slot
                self._is_filmed = True
                self._urgent.set()
            case PageLog():
                self._logs.append(event)
            case _:  # where an attempt runs is not news to its caller
                return
        self._something.set()

    def close(self) -> None:
        """Let `send` end when it has sent what is here."""
        self._closed = True
        self._something.set()
        self._urgent.set()

    async def send(self, tell: Tell) -> None:
        """Tell a caller, at most ten times a second but for what is urgent, until closed."""
        while not self._closed:
            await self._something.wait()
            self._something.clear()
            self._urgent.clear()
            await self._flush(tell)
            if not self._closed:
                await self._pause()
        await self._flush(tell)

    async def _pause(self) -> None:
        # Not by wait_for: Python 3.11's may keep a cancellation to itself.
        timer = asyncio.get_running_loop().call_later(SEND_INTERVAL_S, self._urgent.set)
        try:
            await self._urgent.wait()
        finally:
            timer.cancel()

    async def _flush(self, tell: Tell) -> None:
        while self._logs:
            line = self._logs.popleft()
            log = pb.Log(level=line.level, text=line.text[:MAX_LOG_CHARS])
            await tell(pb.RenderChunkResponse(log=log))
        if self._frames is not None:
            frames, self._frames = self._frames, None
            await tell(pb.RenderChunkResponse(progress=pb.Progress(frames=frames)))
        if self._is_filmed:
            self._is_filmed = False
            await tell(pb.RenderChunkResponse(filmed=pb.Filmed()))
