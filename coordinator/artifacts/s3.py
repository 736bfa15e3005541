"""S3Artifacts: artifacts in an S3-compatible store."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from executors.errors import StorageDownError
from executors.storage import storing
from renderer.durable import PartFile, make_folder, sync

from .base import READ_BYTES, Artifact, ArtifactNotFoundError, checked_key, checked_prefix
from .unended import UnendedUploads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence
    from datetime import datetime
    from pathlib import Path

    from obstore.store import ClientConfig, RetryConfig, S3Config

    from .place import S3Place

P = ParamSpec("P")
T = TypeVar("T")

_REQUESTS_AT_ONCE: Final = 32
# One request each: who reads a long file slowly holds no request open, and memory is bounded.
_RANGE_BYTES: Final = 8 * READ_BYTES
_PARTS_AT_ONCE: Final = 4
_REQUEST_TIMEOUT: Final = timedelta(seconds=120)  # of 8 MiB at most, either way
_PROBLEM_LENGTH: Final = 300


class S3Artifacts:
    """An ArtifactStore in a bucket. Credentials are those that AWS' own tools would find."""

    def __init__(self, place: S3Place) -> None:
        self._place = place
        self._store = _store(place)
        # Threads, and not obstore's coroutines: those let go of Python's objects on threads of
        # their own, and abort a process that ends at that moment.
        self._threads = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="s3")

    async def check(self) -> None:
        """Find out whether the bucket is there and lets us read; StorageDownError if not."""
        with self._asking():
            await self._in_thread(obstore.list_with_delimiter, self._store, "check/")

    async def put(self, file: Path, key: str) -> None:
        size_bytes = (await asyncio.to_thread(file.stat)).st_size
        with self._asking():
            try:
                await self._in_thread(
                    obstore.put,
                    self._store,
                    checked_key(key),
                    file,
                    use_multipart=size_bytes > _RANGE_BYTES,
                    chunk_size=_RANGE_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
            except FileNotFoundError as error:
                raise self._down(error) from error  # the bucket is gone

    async def fetch(self, key: str, file: Path) -> None:
        with storing(file.parent):
            await asyncio.to_thread(make_folder, file.parent)
            with closing(await asyncio.to_thread(PartFile, file.parent)) as part:
                async with aclosing(self.read(key)) as parts:
                    async for data in parts:
                        await asyncio.to_thread(part.write, data)
                await asyncio.to_thread(part.place, file)
            await asyncio.to_thread(sync, file.parent)

    async def read(self, key: str, *, offset: int = 0) -> AsyncGenerator[bytes]:
        size = await self.size(key)
        if size is None:
            raise ArtifactNotFoundError(key)
        for start in range(offset, size, _RANGE_BYTES):
            data = memoryview(await self._range(key, start, min(start + _RANGE_BYTES, size)))
            for begin in range(0, len(data), READ_BYTES):
                yield bytes(data[begin : begin + READ_BYTES])

    async def size(self, key: str) -> int | None:
        with self._asking():
            try:
                return (await self._in_thread(obstore.head, self._store, checked_key(key)))["size"]
            except FileNotFoundError:
                return None

    async def list_prefix(self, prefix: str, *, beginning: str = "") -> Sequence[Artifact]:
        start = f"{checked_prefix(prefix)}{beginning}"
        # All keys after the beginning come in order: those that go on with it come first.
        after = start[:-1] if beginning else None
        with self._asking():
            return await self._in_thread(_listed, self._store, prefix, start, after)

    async def list_folders(self, prefix: str) -> Sequence[str]:
        with self._asking():
            found = await self._in_thread(
                obstore.list_with_delimiter, self._store, checked_prefix(prefix) or None
            )
        return sorted(f"{name}/" for name in found["common_prefixes"])

    async def delete(self, *keys: str) -> None:
        with self._asking():
            checked = [checked_key(key) for key in keys]
            await self._in_thread(obstore.delete, self._store, checked)

    async def delete_prefix(self, prefix: str) -> None:
        await self.delete(*(each.key for each in await self.list_prefix(prefix)))

    async def forget_unended(self, *, before: datetime) -> int:
        place = self._place
        with self._asking():
            return await UnendedUploads(
                self._store,
                f"{place.prefix}/" if place.prefix else "",
                lambda endpoint: _store(replace(place, endpoint=endpoint, prefix="")),
                name=str(place),
            ).abort(before=before)

    async def upload_url(self, key: str, *, valid_s: float) -> str | None:
        with self._asking():
            valid = timedelta(seconds=valid_s)
            return await self._in_thread(obstore.sign, self._store, "PUT", checked_key(key), valid)

    async def _range(self, key: str, start: int, end: int) -> obstore.Bytes:
        with self._asking():
            try:
                return await self._in_thread(
                    obstore.get_range, self._store, key, start=start, end=end
                )
            except FileNotFoundError as error:
                raise ArtifactNotFoundError(key) from error

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    @contextmanager
    def _asking(self) -> Generator[None]:
        try:
            yield
        except BaseError as error:
            raise self._down(error) from error

    def _down(self, error: Exception) -> StorageDownError:
        said = str(error).partition("\n")[0][:_PROBLEM_LENGTH]
        return StorageDownError(
            f"the artifact store {self._place} cannot be used: {said}; see to its address, its "
            "bucket and the credentials (AWS_ACCESS_KEY_ID, …)"
        )


def _listed(store: S3Store, prefix: str, start: str, after: str | None) -> list[Artifact]:
    found = list[Artifact]()
    for part in obstore.list(store, prefix or None, offset=after):
        listed = [_artifact(meta) for meta in part]
        found += [each for each in listed if each.key.startswith(start)]
        if listed[-1].key > start and not listed[-1].key.startswith(start):
            break
    return sorted(found)


def _artifact(meta: obstore.ObjectMeta) -> Artifact:
    return Artifact(meta["path"], meta["size"], meta["last_modified"])


def _store(place: S3Place) -> S3Store:
    config: S3Config = {}
    if place.endpoint:
        config["endpoint"] = place.endpoint
    if place.region:
        config["region"] = place.region
    client: ClientConfig = {
        "timeout": _REQUEST_TIMEOUT,
        "allow_http": place.endpoint.startswith("http://"),
    }
    retry: RetryConfig = {"retry_timeout": place.retry_timeout}
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        config=config,
        client_options=client,
        retry_config=retry,
    )
