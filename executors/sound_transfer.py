"""How files that a page is heard from come from the worker that heard them."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import grpc.aio

from protos.framefarm.v1 import worker_pb2 as pb
from renderer.audio.passages import MAX_SOUND_BYTES
from renderer.composition import is_digest
from renderer.durable import PartFile

from .errors import ChunkDamagedError
from .status import error_of

if TYPE_CHECKING:
    from pathlib import Path

    from protos.framefarm.v1.worker_pb2_grpc import RenderWorkerAsyncStub
    from renderer.audio.passages import SoundReport, SoundSource


async def bring_sounds(stub: RenderWorkerAsyncStub, report: SoundReport, folder: Path) -> None:
    """Bring those files of a report into a folder that are not there, each named by its sha256.

    One that is too large stays where it is.

    Raises:
        ExecutorError: the worker does not give one, or gives another.

    """
    for source in report.handed_over:
        if not is_digest(source.sha256):
            raise ChunkDamagedError(f"{source.name} has no digest: {source.sha256!r}")
        place = folder / source.sha256
        is_wanted = source.size_bytes <= MAX_SOUND_BYTES
        if is_wanted and not await asyncio.to_thread(place.exists):
            await _bring(stub, source, place)


async def _bring(stub: RenderWorkerAsyncStub, source: SoundSource, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    call = stub.DownloadSound(pb.DownloadSoundRequest(sha256=source.sha256))
    # Locked: another coordinator that sweeps here leaves it alone. Opened here and not in a thread,
    # which a cancel would leave behind.
    with closing(PartFile(place.parent)) as part:
        try:
            sha256 = await _take(call, part, source.size_bytes)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        finally:
            call.cancel()
        if sha256 != source.sha256:
            raise ChunkDamagedError(f"{source.name} came with other bytes than it was heard from")
        await asyncio.to_thread(part.place, place)


async def _take(call: Any, part: PartFile, size_bytes: int) -> str:
    digest, left = hashlib.sha256(), size_bytes
    while (response := await call.read()) is not grpc.aio.EOF and left >= 0:
        left -= len(response.data)
        digest.update(response.data)
        await asyncio.to_thread(part.write, response.data)
    return digest.hexdigest() if left == 0 else ""
