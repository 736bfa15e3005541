"""BundleCache: the bundles that were sent here. Those that were used least lately make room."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from executors.errors import StorageFullError
from executors.transfer import receive_bundle

from .living import is_abandoned, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator
    from pathlib import Path

    import grpc.aio

    from renderer.bundle import BundleStore

    InUse = Callable[[], Collection[str]]

log = logging.getLogger(__name__)

# Of the disk that they stand on, when nothing else is said.
SHARE: Final = 0.1
MOST_JOBS: Final = 10_000
MOST_FRESH: Final = 16
_USERS: Final = "users"


class BundleCache:
    """A bundle store of limited size.

    Those of jobs that are in use stay, however much they hold. So do all, while another process
    uses the same folder: what that one needs is not known here.
    """

    def __init__(self, store: BundleStore, *, limit_bytes: int) -> None:
        self.store = store
        self._limit_bytes = limit_bytes
        self._digests: dict[str, str] = {}  # by job, the latest last
        # Received, and not used yet: the job that it was sent for is about to be.
        self._fresh: deque[str] = deque(maxlen=MOST_FRESH)
        self._receiving = set[object]()
        self._sweeping = asyncio.Lock()

    async def use(self, job_id: str, digest: str) -> bool:
        """Tell whether a bundle is here; if so, it is the one that was used last, and the job's."""
        if not await asyncio.to_thread(_touched, self.store, digest):
            return False
        if digest in self._fresh:
            self._fresh.remove(digest)
        self._digests.pop(job_id, None)
        self._digests[job_id] = digest
        if len(self._digests) > MOST_JOBS:
            del self._digests[next(iter(self._digests))]
        return True

    async def receive(
        self, context: grpc.aio.ServicerContext[Any, Any], *, jobs_in_use: InUse
    ) -> None:
        """Serve one `UploadBundle` call, and make room for what it brought.

        Raises:
            InvalidRequestError: as `receive_bundle`.
            StorageFullError: the disk is full; what can be spared here is gone when it is raised.

        """
        call = object()

        async def kept(digest: str) -> None:  # before its caller hears of it, and hangs up
            self._fresh.append(digest)
            self._receiving.discard(call)
            await self._make_room(self._limit_bytes, jobs_in_use)

        async with self._sweeping:  # which may remove a blob that the call would count on
            self._receiving.add(call)
        try:
            await receive_bundle(context, self.store, on_kept=kept)
        except StorageFullError:
            self._receiving.discard(call)
            await self._make_room(0, jobs_in_use)
            raise
        finally:
            self._receiving.discard(call)

    async def _make_room(self, limit_bytes: int, jobs_in_use: InUse) -> None:
        """Remove bundles until the others are within the limit, unless one is being sent now."""
        async with self._sweeping:
            if self._receiving:
                return
            jobs = jobs_in_use()
            self._digests = {job: self._digests[job] for job in jobs if job in self._digests}
            pinned = {*self._digests.values(), *self._fresh}
            await asyncio.to_thread(_sweep, self.store, limit_bytes, pinned)

    @contextmanager
    def open(self) -> Generator[None]:
        """Say, to others that share the folder, that it is used while the block runs."""
        users = self.store.root / _USERS
        users.mkdir(exist_ok=True)
        with marked(users / uuid4().hex):
            yield


def default_limit_bytes(folder: Path) -> int:
    """A share of the disk that a folder stands on."""
    return int(shutil.disk_usage(folder).total * SHARE)


def _touched(store: BundleStore, digest: str) -> bool:
    if not store.has(digest):
        return False
    try:
        os.utime(_manifest(store, digest))
    except FileNotFoundError:  # removed in this moment
        return False
    return True


def _sweep(store: BundleStore, limit_bytes: int, pinned: Collection[str]) -> None:
    """Remove blobs of no bundle, then the bundles used least lately, until the limit is kept."""
    sizes = {file.name: file.stat().st_size for file in (store.root / "blobs").glob("[!.]*")}
    held = sum(sizes.values())
    if held <= limit_bytes or _is_shared(store.root / _USERS):
        return
    bundles = (store.root / "bundles").glob("[!.]*")
    by_use = sorted(bundles, key=lambda file: file.stat().st_mtime_ns)
    blobs = {file.name: _blobs(store, file.name) for file in by_use}
    holders = Counter(sha256 for names in blobs.values() for sha256 in names)
    doomed = [sha256 for sha256 in sizes if not holders[sha256]]  # of uploads that broke
    held -= sum(sizes[sha256] for sha256 in doomed)
    for digest in blobs:
        if held > limit_bytes and digest not in pinned:
            _manifest(store, digest).unlink()
            holders.subtract(blobs[digest])
            freed = [sha256 for sha256 in blobs[digest] if not holders[sha256]]
            held -= sum(sizes.get(sha256, 0) for sha256 in freed)
            doomed += freed
            log.info("bundle removed to make room", extra={"bundle": digest})
    for sha256 in doomed:
        store.blob(sha256).unlink(missing_ok=True)


def _blobs(store: BundleStore, digest: str) -> frozenset[str]:
    return frozenset(file.sha256 for file in store.manifest(digest).files)


def _manifest(store: BundleStore, digest: str) -> Path:
    return store.root / "bundles" / digest


def _is_shared(users: Path) -> bool:
    """Whether another process that lives uses the folder; marks of dead ones are removed."""
    living = 0
    for mark in users.glob("[!.]*"):
        if is_abandoned(mark):
            mark.unlink(missing_ok=True)
        else:
            living += 1
    return living > 1
