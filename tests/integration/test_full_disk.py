"""What happens on a disk that is full: one error, nothing half-written, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.artifacts.opening import open_artifacts
from coordinator.job import StoredFile
from executors.base import AttemptLost, ChunkEvent
from executors.errors import StorageFullError
from executors.local import LocalExecutor
from executors.storage import free_bytes, is_full, storing
from framefarm.landing import landing
from renderer.bundle import BundleStore, manifest_of
from renderer.durable import PartFile
from tests.support.farm import grpc_executor, running_worker
from tests.support.picture_renderer import PictureRenderer
from tests.support.s3_server import new_bucket
from tests.support.small_disk import fill, small_disk
from tests.support.tasks import a_task

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "disk", size_bytes=4 * MIB) as folder:
        yield folder


def write(folder: Path, size_bytes: int) -> None:
    with storing(folder), closing(PartFile(folder)) as part:
        part.write(bytes(size_bytes))


def test_a_full_disk_is_told_with_its_folder_and_what_is_free(disk: Path) -> None:
    fill(disk)

    assert free_bytes(disk) == 0
    with pytest.raises(StorageFullError, match=rf"{disk} is full \(0 MiB are free\): make room"):
        write(disk, MIB)


def test_other_errors_are_not_taken_for_a_full_disk(disk: Path) -> None:
    with pytest.raises(FileNotFoundError), storing(disk):
        (disk / "nothing").read_bytes()


def test_a_bundle_that_finds_no_room_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_bytes(bytes(5 * MIB))
    store = BundleStore(disk)
    manifest = manifest_of(page)

    with pytest.raises(StorageFullError), storing(store.root):
        store.add_folder(page, manifest)

    assert not any((disk / "blobs").iterdir())
    assert not store.has(manifest.digest)


@pytest.mark.parametrize("leave_bytes", [0, 4096])
async def test_a_chunk_that_finds_no_room_leaves_nothing(disk: Path, leave_bytes: int) -> None:
    executor = LocalExecutor(PictureRenderer())
    filling = fill(disk, leave_bytes=leave_bytes)

    with pytest.raises(StorageFullError):
        await executor.render(a_task(0, 300), disk / "chunk.mp4", on_progress=lambda _: None)

    assert list(disk.iterdir()) == [filling]


async def test_an_artifact_that_finds_no_room_leaves_what_was_there(
    disk: Path, tmp_path: Path
) -> None:
    store = await open_artifacts(f"file://{disk}/kept", tmp_path)
    (tmp_path / "small").write_text("small")
    (tmp_path / "large").write_bytes(bytes(5 * MIB))
    await store.put(tmp_path / "small", "a/key")

    with pytest.raises(StorageFullError):
        await store.put(tmp_path / "large", "a/key")

    assert await store.size("a/key") == 5
    assert not list((disk / "kept").glob(".*"))


async def test_an_artifact_that_is_fetched_to_a_full_disk_leaves_nothing(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large").write_bytes(bytes(5 * MIB))
    for url in (f"file://{tmp_path}/kept", new_bucket(monkeypatch)):
        store = await open_artifacts(url, tmp_path)
        await store.put(tmp_path / "large", "large")

        with pytest.raises(StorageFullError):
            await store.fetch("large", disk / "large")

        assert not any(disk.iterdir())


async def test_a_download_that_finds_no_room_names_its_file_and_leaves_nothing(disk: Path) -> None:
    promised = StoredFile(size_bytes=5 * MIB, sha256="")

    with pytest.raises(OSError, match="No space left") as caught:
        async with landing(disk / "film.mp4", promised) as arriving:
            await arriving.write(bytes(5 * MIB))

    assert caught.value.filename == str(disk / "film.mp4")
    assert is_full(caught.value)
    assert list(disk.iterdir()) == []


async def test_a_chunk_of_a_worker_whose_disk_is_full_is_rendered_elsewhere(
    disk: Path, tmp_path: Path
) -> None:
    lost = list[AttemptLost]()

    def hear(event: ChunkEvent) -> None:
        if isinstance(event, AttemptLost):
            lost.append(event)

    async with (
        running_worker(PictureRenderer(), name="full", disk=disk) as full,
        running_worker(PictureRenderer(), name="fine") as fine,
        grpc_executor([full.address, fine.address], BundleStore(tmp_path / "data")) as (farm, _),
        asyncio.TaskGroup() as group,
    ):
        filling = fill(disk)
        for index in range(3):
            task = replace(a_task(), index=index)
            group.create_task(farm.render(task, tmp_path / f"{index}.mp4", on_progress=hear))

    assert [path.exists() for path in (tmp_path / f"{index}.mp4" for index in range(3))] == [
        True
    ] * 3
    assert lost
    assert all(event.worker == full.address and "is full" in event.reason for event in lost)
    assert [path for path in disk.rglob("*") if path.is_file()] == [filling]
