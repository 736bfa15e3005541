"""Retention: what is kept of jobs that have ended, for how long, and how much of it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from executors.errors import StorageError
from executors.tasks import task_group
from renderer.errors import InvalidRequestError

from .artifacts.bundles import bundles_of
from .holds import FarmHeldError
from .jobs import JobNeededError
from .stores.base import JobNotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from .artifacts.bundles import KeptBundles
    from .job import Job
    from .job_files import JobFiles
    from .settings import Keeping
    from .stores.base import JobStore

log = logging.getLogger(__name__)

PERIOD_S: Final = 3_600.0
# What nothing refers to may be on its way: a bundle whose job is still to come, say.
ORPHAN_AGE: Final = timedelta(days=1)
_PAGE: Final = 100


class JobDeleter(Protocol):
    """What forgets a job: `Jobs`."""

    async def delete(self, job_id: str) -> None: ...


class Retention:
    """Forgets what need not be kept: now and every hour."""

    def __init__(  # noqa: PLR0913  # wiring: each is one thing that is looked after
        self,
        keeping: Keeping,
        *,
        jobs: JobDeleter,
        store: JobStore,
        files: JobFiles,
        bundles: KeptBundles,
        utc_now: Callable[[], datetime],
    ) -> None:
        self._keeping = keeping
        self._jobs = jobs
        self._store = store
        self._files = files
        self._bundles = bundles
        self._utc_now = utc_now

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Sweep while the block runs."""
        async with task_group() as group:
            sweeping = group.create_task(self.run(), name="sweep")
            try:
                yield
            finally:
                sweeping.cancel()

    async def run(self) -> None:
        """Sweep, for ever."""
        while True:
            try:
                await self.sweep()
            except (OSError, StorageError, FarmHeldError) as error:  # the next one tries again
                log.warning("sweep failed", extra={"error": str(error)})
            await asyncio.sleep(PERIOD_S)

    async def sweep(self) -> None:
        """Forget jobs that are too old or too many, and then what no job refers to."""
        if self._keeping.jobs_s is not None:
            await self._forget_old(self._utc_now() - timedelta(seconds=self._keeping.jobs_s))
        if self._keeping.size_bytes is not None:
            await self._forget_many(self._keeping.size_bytes)
        before = self._utc_now() - ORPHAN_AGE
        await self._forget_orphans(before)
        count = await self._bundles.shelf.store.forget_unended(before=before)
        if count:
            log.info("uploads that never ended removed", extra={"count": count})

    async def _forget_old(self, before: datetime) -> None:
        async for _ in self._forgotten(before):
            pass

    async def _forget_many(self, most_bytes: int) -> None:
        sizes = await self._files.sizes()
        held = sum(sizes.values())
        if held <= most_bytes:
            return
        async with aclosing(self._forgotten(self._utc_now())) as forgotten:
            async for job_id in forgotten:
                held -= sizes.get(job_id, 0)
                if held <= most_bytes:
                    return

    async def _forgotten(self, before: datetime) -> AsyncGenerator[str]:
        """Forget the jobs that ended before then, first those that ended first, one at a time."""
        stay = set[str]()  # they are needed, and others come after them
        while True:
            jobs = await self._store.ended_before(before, most=len(stay) + _PAGE)
            left = [job.id for job in jobs if job.id not in stay]
            if not left:
                return
            for job_id in left:
                if await self._forget(job_id):
                    yield job_id
                else:
                    stay.add(job_id)

    async def _forget(self, job_id: str) -> bool:
        try:
            await self._jobs.delete(job_id)
        except (JobNeededError, JobNotFoundError):  # later; or somebody else was faster
            return False
        log.info("job forgotten", extra={"job_id": job_id})
        return True

    async def _forget_orphans(self, before: datetime) -> None:
        # What comes while the jobs are read, files or bundles, is younger than that.
        kept = dict(await self._files.kept(before=before))
        used = set[str]()
        async for job in self._all_jobs():
            used.update(bundles_of(job.spec))
            paths = kept.pop(job.id, ())
            if paths and job.state.is_final:  # a killed process may have left more than is needed
                await self._files.forget_needless(job, paths)
        for job_id in kept:
            await self._forget_files(job_id)
        count = await forget_unused(
            self._bundles, used, before=before, check=self._store.check_lead
        )
        if count:
            log.info("bundles of no job removed", extra={"count": count})

    async def _forget_files(self, job_id: str) -> None:
        """Remove what is kept of no job: asked once more, for files are not brought back."""
        try:
            await self._store.get(job_id)
        except JobNotFoundError:
            await self._files.delete(job_id)
            log.info("files of no job removed", extra={"job_id": job_id})

    async def _all_jobs(self) -> AsyncGenerator[Job]:
        """Every job, a page at a time: there may be many. Some may come twice."""
        last = ""
        while True:
            try:
                jobs = await self._store.page(size=_PAGE, before=last)
            except JobNotFoundError:  # deleted meanwhile, and where it stood nobody knows
                jobs = await self._store.page(size=_PAGE)
            if not jobs:
                return
            for job in jobs:
                yield job
            last = jobs[-1].id


async def forget_unused(
    bundles: KeptBundles,
    used: Collection[str],
    *,
    before: datetime,
    check: Callable[[], Awaitable[None]],
) -> int:
    """Remove the bundles that nobody uses and that were kept before then, and blobs of none.

    How many bundles have gone. Nothing goes that was not preceded by a `check`: what is used now,
    only who leads knows, and a coordinator that was frozen may lead no more.
    """
    shelf, root = bundles.shelf, bundles.here.root
    left: set[str] = set()
    doomed: list[str] = []
    for path, manifest in (await shelf.files_in(root / "bundles")).items():
        if path.name in used or manifest.modified_at >= before:
            left |= await _blobs_of(bundles, path.name)
        else:
            doomed.append(path.name)
    gone = await _forget_unclaimed(bundles, root / "bundles", doomed, check)
    for digest in set(doomed) - gone:
        left |= await _blobs_of(bundles, digest)
    blobs = (await shelf.files_in(root / "blobs")).items()
    old = [path.name for path, blob in blobs if blob.modified_at < before]
    unneeded = [name for name in old if name not in left]
    await _forget_unclaimed(bundles, root / "blobs", unneeded, check)
    return len(gone)


async def _forget_unclaimed(
    bundles: KeptBundles,
    folder: Path,
    names: Sequence[str],
    check: Callable[[], Awaitable[None]],
) -> set[str]:
    """Remove files that nobody has asked for meanwhile; those that have gone."""
    gone = set[str]()
    for start in range(0, len(names), _PAGE):
        await check()
        # A part at a time: whoever asks for something waits for no more.
        async with bundles.claims.unclaimed(names[start : start + _PAGE]) as free:
            await bundles.shelf.forget(*(folder / name for name in free))
            gone |= free
    return gone


async def _blobs_of(bundles: KeptBundles, digest: str) -> set[str]:
    try:
        return set(await bundles.blobs(digest))
    except (KeyError, ValueError, InvalidRequestError) as error:
        facts = {"bundle": digest, "error": repr(error)}
        log.warning("a bundle's list of files cannot be read", extra=facts)
        return set()
