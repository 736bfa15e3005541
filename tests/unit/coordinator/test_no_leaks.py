"""Killed at any step of forgetting a job or keeping a bundle: what is left goes with a sweep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from coordinator.artifacts import bundles as bundles_module
from coordinator.artifacts.bundles import KeptBundles
from coordinator.artifacts.folder import open_folder
from coordinator.artifacts.shelf import Shelf
from coordinator.job import JobState
from coordinator.job_files import PREVIEWS, FolderJobFiles
from coordinator.retention import Retention, forget_unused
from coordinator.settings import Keeping
from renderer.bundle import BundleStore, manifest_of
from tests.support.job_desk import DictStore, open_desk
from tests.support.scythe import KilledError, Scythe
from tests.support.tasks import a_spec

LATER = timedelta(days=30)


@pytest.fixture
def scythe(monkeypatch: pytest.MonkeyPatch) -> Scythe:
    monkeypatch.setattr(bundles_module, "_AT_ONCE", 1)  # no other thread outlives the strike
    return Scythe(monkeypatch)


@pytest.fixture(params=["here", "elsewhere"])
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def a_shelf(folder: Path, where: str) -> Shelf:
    """A shelf as a process finds it that starts."""
    (folder / "here").mkdir(parents=True, exist_ok=True)
    store = open_folder(folder / "kept") if where == "elsewhere" else None
    return Shelf(folder / "here", store)


def left(folder: Path) -> list[str]:
    """What stands below, but for the folders that are always there."""
    tops = {(name,) for name in ("outputs", "chunks", "blobs", "bundles", PREVIEWS)}
    found = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(str(path) for path in found if path.parts[1:] and path.parts[1:] not in tops)


class Ledger(DictStore):
    """Its deletions are steps, too."""

    def __init__(self, scythe: Scythe) -> None:
        super().__init__()
        self._scythe = scythe

    async def delete(self, job_id: str) -> None:
        self._scythe.step()
        await super().delete(job_id)


async def an_ended_job(folder: Path, shelf: Shelf, store: DictStore) -> str:
    """With files of every kind."""
    async with open_desk(folder / "here", store=store, shelf=shelf) as desk:
        job = await desk.jobs.create(a_spec())
        desk.succeed(job.id)
        await desk.until(job.id, JobState.SUCCEEDED)
    files = FolderJobFiles(shelf)
    kept = [files.output(job), files.manifest(job), files.pictures(job) / "a.png"]
    kept += [files.chunks(job.id) / f"chunk-{index}.mp4" for index in range(2)]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes")
    await shelf.hand_over(*kept)
    (shelf.root / PREVIEWS / job.id).mkdir(parents=True)
    (shelf.root / PREVIEWS / job.id / "0.m4s").touch()
    return job.id


async def sweep(folder: Path, shelf: Shelf, store: DictStore) -> None:
    async with open_desk(folder / "here", store=store, shelf=shelf) as desk:
        await Retention(
            Keeping(),
            jobs=desk.jobs,
            store=store,
            files=FolderJobFiles(shelf),
            bundles=KeptBundles(BundleStore(shelf.root), shelf),
            utc_now=lambda: datetime.now(UTC) + LATER,
        ).sweep()


async def test_a_job_whose_deletion_is_cut_off_anywhere_leaves_nothing(
    tmp_path: Path, where: str, scythe: Scythe
) -> None:
    cut_off = 0
    for number in count(1):
        folder, store = tmp_path / str(number), Ledger(scythe)
        shelf = a_shelf(folder, where)
        job_id = await an_ended_job(folder, shelf, store)
        try:
            async with open_desk(folder / "here", store=store, shelf=shelf) as desk:
                scythe.strike_at(number)
                await desk.jobs.delete(job_id)
        except KilledError:
            cut_off += 1
        scythe.put_away()

        shelf = a_shelf(folder, where)
        if job_id in store.jobs:  # the deletion was not promised: all that was promised is there
            video = [data async for data in shelf.read(shelf.root / "outputs" / f"{job_id}.mp4")]
            assert video == [b"bytes"]
            await store.delete(job_id)
        await sweep(folder, shelf, store)
        assert left(folder) == [], f"cut off at step {number}"
        if cut_off < number:
            break

    assert cut_off >= 5


async def test_a_bundle_whose_upload_is_cut_off_anywhere_leaves_nothing(
    tmp_path: Path, where: str, scythe: Scythe
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    for name in ("index.html", "style.css"):
        (page / name).write_text(name)
    manifest, cut_off = manifest_of(page), 0
    for number in count(1):
        folder = tmp_path / str(number)
        bundles = _bundles(folder, where)
        scythe.strike_at(number)
        try:
            bundles.here.add_folder(page, manifest)
            await bundles.keep(manifest.digest)
        except KilledError:
            cut_off += 1
        scythe.put_away()

        again = _bundles(folder, where)  # what was kept is whole, or nothing is
        again.here.add_folder(page, manifest)
        await again.keep(manifest.digest)
        found = await again.files(manifest.digest)
        assert {path: file.read_text() for path, file in found.items()} == {
            name: name for name in ("index.html", "style.css")
        }
        swept = _bundles(folder, where)
        await forget_unused(
            swept, set(), before=datetime.now(UTC) + LATER, check=DictStore().check_lead
        )
        assert left(folder) == [], f"cut off at step {number}"
        if cut_off < number:
            break

    assert cut_off >= 5


async def test_blobs_without_a_bundle_go_when_they_are_old(
    tmp_path: Path, where: str, scythe: Scythe
) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("page")
    manifest = manifest_of(page)
    for number in range(1, 9):
        folder = tmp_path / str(number)
        bundles = _bundles(folder, where)
        scythe.strike_at(number)
        try:
            bundles.here.add_folder(page, manifest)
            await bundles.keep(manifest.digest)
        except KilledError:
            pass
        scythe.put_away()

        await forget_unused(
            _bundles(folder, where),
            set(),
            before=datetime.now(UTC) + LATER,
            check=DictStore().check_lead,
        )

        assert left(folder) == [], f"cut off at step {number}"


def _bundles(folder: Path, where: str) -> KeptBundles:
    shelf = a_shelf(folder, where)
    return KeptBundles(BundleStore(shelf.root), shelf)
