"""How a bundle travels: manifest out, missing digests back, then only those blobs.

The same exchange (`UploadBundle`) brings bundles to the coordinator and on to each worker.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import grpc.aio

from protos.framefarm.v1 import render_pb2 as pb
from renderer.errors import InvalidRequestError, Violation

from . import wire
from .errors import StorageFullError
from .storage import free_bytes, storing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from renderer.bundle import BundleManifest, BundleStore

PART_BYTES: Final = 1 << 20


class UploadBundleStub(Protocol):
    """A stub, of the worker or of the coordinator, that takes bundles."""

    @property
    def UploadBundle(self) -> Any: ...  # noqa: N802  # the RPC's name


async def send_bundle(
    stub: UploadBundleStub, manifest: BundleManifest, blob: Callable[[str], Path]
) -> str:
    """Bring a bundle to the other side and return its digest; `blob` finds a digest's bytes.

    Raises:
        grpc.aio.AioRpcError: the other side refused, or went away.

    """
    call = stub.UploadBundle()
    try:
        await _write(call, pb.UploadBundleRequest(manifest=wire.from_manifest(manifest)))
        missing = await _read(call, "missing")
        for sha256 in missing.sha256:
            await _send_blob(call, sha256, blob(sha256))
        await call.done_writing()
        stored = await _read(call, "stored")
        return str(stored.digest)
    finally:
        call.cancel()


async def receive_bundle(
    context: grpc.aio.ServicerContext[Any, Any],
    store: BundleStore,
    *,
    on_manifest: Callable[[BundleManifest], Awaitable[None]] | None = None,
    on_kept: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve one `UploadBundle` call.

    `on_manifest` is awaited before it is looked up what is missing, `on_kept` before the caller is
    told the bundle's digest.

    Raises:
        InvalidRequestError: the caller broke the exchange, or sent other bytes than it named.
        StorageFullError: there is no room for it here.

    """
    manifest = wire.to_manifest((await _expect(context, "manifest")).manifest)
    if on_manifest is not None:
        await on_manifest(manifest)
    with storing(store.root):
        digest = await _receive(context, store, manifest)
    if on_kept is not None:
        await on_kept(digest)
    await context.write(pb.UploadBundleResponse(stored=pb.StoredBundle(digest=digest)))


async def _receive(
    context: grpc.aio.ServicerContext[Any, Any], store: BundleStore, manifest: BundleManifest
) -> str:
    missing = await asyncio.to_thread(store.missing, manifest)
    sizes = {file.sha256: file.size_bytes for file in manifest.files}
    # Before anything is sent: who writes while a call ends may not hear why it did.
    await asyncio.to_thread(_check_room, store.root, sum(sizes[sha256] for sha256 in missing))
    await context.write(pb.UploadBundleResponse(missing=pb.MissingBlobs(sha256=missing)))
    for sha256 in missing:
        await _receive_blob(context, store, sha256=sha256, size_bytes=sizes[sha256])
    return await asyncio.to_thread(store.keep, manifest)


def _check_room(folder: Path, wanted: int) -> None:
    if (free := free_bytes(folder)) < wanted:
        raise StorageFullError(
            f"{folder} is full: the bundle needs {wanted >> 20} MiB, and {free >> 20} MiB are "
            "free; make room there"
        )


async def _send_blob(call: Any, sha256: str, path: Path) -> None:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        last = False
        while not last:
            data = await asyncio.to_thread(file.read, PART_BYTES)
            last = len(data) < PART_BYTES
            part = pb.BlobPart(sha256=sha256, data=data, last=last)
            await _write(call, pb.UploadBundleRequest(part=part))
    finally:
        file.close()


async def _receive_blob(
    context: grpc.aio.ServicerContext[Any, Any],
    store: BundleStore,
    *,
    sha256: str,
    size_bytes: int,
) -> None:
    writer = await asyncio.to_thread(store.writer, sha256)
    received, last = 0, False
    try:
        while not last:
            part = (await _expect(context, "part")).part
            received += len(part.data)
            if part.sha256 != sha256 or received > size_bytes:
                raise _broken(f"expected {size_bytes} bytes of blob {sha256[:12]}…")
            await asyncio.to_thread(writer.write, part.data)
            last = part.last
        await asyncio.to_thread(writer.finish)
    finally:
        writer.close()


async def _expect(context: grpc.aio.ServicerContext[Any, Any], step: str) -> pb.UploadBundleRequest:
    request = await context.read()
    if not isinstance(request, pb.UploadBundleRequest) or request.WhichOneof("step") != step:
        raise _broken(f"expected a {step}")
    return request


async def _write(call: Any, request: pb.UploadBundleRequest) -> None:
    try:
        await call.write(request)
    except asyncio.InvalidStateError:  # the call has ended: its status says why
        await _read(call, "status")


async def _read(call: Any, step: str) -> Any:
    response = await call.read()  # raises the call's error status
    if not isinstance(response, pb.UploadBundleResponse) or response.WhichOneof("step") != step:
        raise ConnectionError(f"the other side broke the bundle exchange: no {step}")
    return getattr(response, step)


def _broken(problem: str) -> InvalidRequestError:
    return InvalidRequestError([Violation("bundle", f"the upload broke its order: {problem}")])
