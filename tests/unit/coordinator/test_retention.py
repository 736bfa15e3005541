"""What is forgotten of jobs that have ended, and what is not."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator import retention as retention_module
from coordinator.artifacts import claims
from coordinator.artifacts.bundles import KeptBundles
from coordinator.artifacts.shelf import Shelf
from coordinator.job import AudioTrack, Job, JobSpec, JobState
from coordinator.job_files import FolderJobFiles
from coordinator.retention import Retention, forget_unused
from coordinator.settings import Keeping
from coordinator.stores.base import LostLeadershipError
from renderer.bundle import BundleStore
from renderer.composition import BundleEntry
from tests.support.job_desk import Desk, DictStore, open_desk
from tests.support.tasks import a_bundle, a_spec

LATER = timedelta(days=30)
leads = DictStore().check_lead


@asynccontextmanager
async def swept_desk(
    folder: Path,
    keeping: Keeping | None = None,
    *,
    after: timedelta = LATER,
    store: DictStore | None = None,
) -> AsyncGenerator[tuple[Desk, Retention, BundleStore]]:
    """A desk whose sweep believes that so much time has passed."""
    bundles = BundleStore(folder)
    async with open_desk(folder, store=store or DictStore()) as desk:
        retention = Retention(
            keeping or Keeping(),
            jobs=desk.jobs,
            store=desk.store,
            files=FolderJobFiles(Shelf(folder)),
            bundles=KeptBundles(bundles, Shelf(folder)),
            utc_now=lambda: datetime.now(UTC) + after,
        )
        yield desk, retention, bundles


async def ended(desk: Desk, spec: JobSpec | None = None) -> Job:
    job = await desk.jobs.create(spec or a_spec())
    desk.succeed(job.id)
    return await desk.until(job.id, JobState.SUCCEEDED)


def videos(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "outputs").iterdir()}


async def test_jobs_are_kept_for_ever_unless_it_is_said(tmp_path: Path) -> None:
    async with swept_desk(tmp_path) as (desk, retention, _):
        job = await ended(desk)

        await retention.sweep()

        assert videos(tmp_path) == desk.store.jobs.keys() == {job.id}


async def test_jobs_that_ended_too_long_ago_are_forgotten_and_running_ones_are_not(
    tmp_path: Path,
) -> None:
    async with swept_desk(tmp_path, Keeping(jobs_s=29 * 86_400.0)) as (desk, retention, _):
        gone, needed = await ended(desk), await ended(desk)
        running = await desk.jobs.create(replace(a_spec(), after=(needed.id,)))
        await desk.until(running.id, JobState.RENDERING)

        await retention.sweep()

        assert gone.id not in desk.store.jobs
        assert videos(tmp_path) == {needed.id}
        assert desk.store.jobs.keys() == {needed.id, running.id}


async def test_a_job_that_ended_just_now_is_kept_though_others_are_too_old(tmp_path: Path) -> None:
    keeping = Keeping(jobs_s=86_400.0)
    async with swept_desk(tmp_path, keeping, after=timedelta(hours=23)) as (desk, retention, _):
        job = await ended(desk)

        await retention.sweep()

        assert desk.store.jobs.keys() == {job.id}


async def test_the_jobs_that_ended_first_are_forgotten_while_all_have_too_much(
    tmp_path: Path,
) -> None:
    async with swept_desk(tmp_path, Keeping(size_bytes=12)) as (desk, retention, _):
        jobs = [await ended(desk) for _ in range(4)]  # 5 bytes each

        await retention.sweep()

        assert videos(tmp_path) == {job.id for job in jobs[2:]}


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(), True), (LATER, False)])
async def test_old_files_of_no_known_job_are_removed(
    tmp_path: Path, age: timedelta, is_kept: bool
) -> None:
    async with swept_desk(tmp_path, after=age) as (desk, retention, _):
        job = await ended(desk)
        (tmp_path / "outputs" / "unknown.mp4").touch()
        (tmp_path / "chunks" / "unknown").mkdir()
        (tmp_path / "chunks" / "unknown" / "chunk-1.mp4").touch()

        await retention.sweep()

        assert ("unknown" in videos(tmp_path)) is is_kept
        assert (tmp_path / "chunks" / "unknown").exists() is is_kept
        assert job.id in videos(tmp_path)


async def test_what_a_killed_process_left_of_a_cancelled_job_is_removed(tmp_path: Path) -> None:
    async with swept_desk(tmp_path) as (desk, retention, _):
        succeeded = await ended(desk)
        cancelled = await desk.jobs.create(a_spec())
        await desk.jobs.cancel(cancelled.id)
        (tmp_path / "outputs" / f"{cancelled.id}.mp4").touch()
        (tmp_path / "outputs" / f"{cancelled.id}.pictures").mkdir()
        (tmp_path / "outputs" / f"{cancelled.id}.pictures" / "a.png").touch()

        await retention.sweep()

        assert [path.name for path in (tmp_path / "outputs").iterdir()] == [f"{succeeded.id}.mp4"]


async def test_what_another_coordinator_has_made_of_a_job_is_removed_when_it_is_old(
    tmp_path: Path,
) -> None:
    async with swept_desk(tmp_path) as (desk, retention, _):
        job = await ended(desk)
        zombies = FolderJobFiles(Shelf(tmp_path), term=7)
        late = desk.store.jobs[job.id]
        late = replace(late, output=None)
        for path in (zombies.output(late), zombies.manifest(late)):
            path.touch()
        zombies.pictures(late).mkdir()
        (zombies.chunks(job.id)).mkdir()

        await retention.sweep()

        assert [path.name for path in (tmp_path / "outputs").iterdir()] == [f"{job.id}.mp4"]
        assert not list((tmp_path / "chunks").iterdir())


async def test_a_sweep_does_not_ask_about_each_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 4)
    async with swept_desk(tmp_path) as (desk, retention, _):
        for _ in range(8):
            await ended(desk)
        desk.store.calls.clear()

        await retention.sweep()

        assert desk.store.calls == {"page": 3}


@dataclass
class BusyStore(DictStore):
    """Jobs are deleted while it is read: the last of each of these pages."""

    deleting: int = 0

    async def page(self, *, size: int, before: str = "") -> Sequence[Job]:
        page = await super().page(size=size, before=before)
        if self.deleting and page:
            self.deleting -= 1
            await self.delete(page[-1].id)
        return page


async def test_a_job_that_is_deleted_during_a_sweep_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 2)
    store = BusyStore()
    async with swept_desk(tmp_path, store=store) as (desk, retention, bundles):
        pages = [a_bundle(bundles, tmp_path / f"{n}", f"<p>{n}</p>") for n in range(7)]
        for page in pages:
            await ended(desk, replace(a_spec(), composition=page))
        store.deleting = 2

        await retention.sweep()

        assert len(store.jobs) == 5
        for job in store.jobs.values():
            assert isinstance(job.spec.composition, BundleEntry)
            assert bundles.has(job.spec.composition.digest)


async def test_many_jobs_that_are_needed_keep_no_other_from_being_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 2)
    async with swept_desk(tmp_path, Keeping(jobs_s=86_400.0)) as (desk, retention, _):
        needed = [(await ended(desk)).id for _ in range(3)]
        gone = [(await ended(desk)).id for _ in range(3)]
        waiting = await desk.jobs.create(replace(a_spec(), after=tuple(needed)))

        await retention.sweep()

        assert desk.store.jobs.keys() == {*needed, waiting.id}
        assert not videos(tmp_path) & {*gone}


async def test_a_bundle_that_is_asked_for_while_it_is_swept_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BundleStore(tmp_path)
    bundles = KeptBundles(store, Shelf(tmp_path))
    asked, uploaded = (a_bundle(store, tmp_path / name, name) for name in ("asked", "uploaded"))
    a_bundle(store, tmp_path / "unused", "unused")
    # By now the sweep knows which ones no job uses.
    await bundles.files(asked.digest)
    await bundles.claim(store.manifest(uploaded.digest))
    later = datetime.now(UTC) + LATER

    assert await forget_unused(bundles, set(), before=later, check=leads) == 1

    for entry in (asked, uploaded):
        assert all(path.exists() for path in store.files(entry.digest).values())
    monkeypatch.setattr(claims, "_FOR_S", 0.0)
    assert await forget_unused(bundles, set(), before=later, check=leads) == 2
    assert not list((tmp_path / "blobs").iterdir())


async def test_a_sweeper_that_was_frozen_leaves_the_bundles_to_its_heir(tmp_path: Path) -> None:
    store = BusyStore()
    async with swept_desk(tmp_path, store=store) as (_, retention, bundles):
        reused = a_bundle(bundles, tmp_path / "page", "<p>of a job that came meanwhile</p>")
        store.is_led_by_another = True  # since it has read the jobs, say

        with pytest.raises(LostLeadershipError):
            await retention.sweep()

        assert all(path.exists() for path in bundles.files(reused.digest).values())


async def test_a_damaged_list_of_files_does_not_end_the_sweep(tmp_path: Path) -> None:
    store = BundleStore(tmp_path)
    bundles = KeptBundles(store, Shelf(tmp_path))
    damaged = a_bundle(store, tmp_path / "page", "page").digest
    store.manifest_file(damaged).write_bytes(b"\0" * 9)

    await forget_unused(bundles, {damaged}, before=datetime.now(UTC) + LATER, check=leads)
    await forget_unused(bundles, set(), before=datetime.now(UTC) + LATER, check=leads)

    assert not list((tmp_path / "bundles").iterdir())


async def test_bundles_that_no_job_uses_are_removed_when_they_are_old(tmp_path: Path) -> None:
    async with swept_desk(tmp_path) as (desk, retention, bundles):
        page = a_bundle(bundles, tmp_path / "page", "<p>page</p>")
        sound = a_bundle(bundles, tmp_path / "sound", "la la")
        unused = a_bundle(bundles, tmp_path / "unused", "<p>unused</p>")
        audio = (AudioTrack(source=sound),)
        job = await ended(desk, replace(a_spec(), composition=page, audio=audio))
        fresh = a_bundle(bundles, tmp_path / "fresh", "<p>fresh</p>")
        in_time = (datetime.now(UTC) + LATER).timestamp()
        for name in (fresh.digest, *await retention._bundles.blobs(fresh.digest)):
            for folder in ("bundles", "blobs"):
                if (tmp_path / folder / name).exists():
                    os.utime(tmp_path / folder / name, (in_time, in_time))

        await retention.sweep()
        assert {path.name for path in (tmp_path / "bundles").iterdir()} == {
            page.digest,
            sound.digest,
            fresh.digest,
        }
        assert len(list((tmp_path / "blobs").iterdir())) == 3
        assert not bundles.has(unused.digest)
        await desk.jobs.delete(job.id)
        await retention.sweep()

        assert [path.name for path in (tmp_path / "bundles").iterdir()] == [fresh.digest]
        assert list(bundles.files(fresh.digest)) == ["index.html"]
