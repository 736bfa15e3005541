"""What came of an attempt, on its way to a caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from executors import wire
from executors.probe_wire import from_probe_result
from executors.sound_wire import from_report
from protos.framefarm.v1 import worker_pb2 as pb
from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from pathlib import Path

    from executors.base import ChunkResult
    from renderer.history import ProbeResult

    from .attempt import Tell

DATA_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ChunkAnswer:
    """A chunk that was rendered, and its file."""

    result: ChunkResult
    path: Path

    async def send(self, tell: Tell, *, offset: int) -> None:
        if not self.result.artifact:
            await send_file(self.path, tell, offset=offset)
        for digests in wire.from_digests(self.result.frame_digests):
            await tell(pb.RenderChunkResponse(digests=digests))
        for sounds in from_report(self.result.sounds) if self.result.sounds else ():
            await tell(pb.RenderChunkResponse(sounds=sounds))
        for edge in wire.from_edges(self.result.edges):
            await tell(pb.RenderChunkResponse(edge=edge))
        await tell(pb.RenderChunkResponse(completed=wire.from_result(self.result)))


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What was found out about a page."""

    result: ProbeResult

    async def send(self, tell: Tell, *, offset: int) -> None:
        del offset
        await tell(pb.RenderChunkResponse(probed=from_probe_result(self.result)))


async def send_file(path: Path, tell: Tell, *, offset: int) -> None:
    """Send a chunk's file from `offset` on.

    Raises:
        InvalidRequestError: it is shorter than that.

    """
    size = (await asyncio.to_thread(path.stat)).st_size
    if offset > size:
        problem = f"{offset} is beyond the chunk's file of {size} bytes; begin at 0"
        raise InvalidRequestError([Violation("offset", problem)])
    while data := await asyncio.to_thread(read_part, path, offset):
        await tell(pb.RenderChunkResponse(data=pb.Data(data=data)))
        offset += len(data)


def read_part(path: Path, offset: int) -> bytes:
    """The next bytes of a file. It blocks, and leaves nothing open however its caller ends."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(DATA_BYTES)
