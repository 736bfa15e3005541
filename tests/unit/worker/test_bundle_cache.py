from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from executors.errors import StorageFullError
from renderer.bundle import BundleStore, manifest_of
from worker import bundle_cache
from worker.bundle_cache import BundleCache

KIB = 1 << 10


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path / "pages")


class Pages:
    """Folders of pages of 10 KiB each, with what they share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, store: BundleStore, name: str, *, shared: bytes = b"") -> str:
        folder = self._root / name
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(name * (10 * KIB // len(name)))
        if shared:
            (folder / "shared.js").write_bytes(shared)
        digest = store.add_folder(folder, manifest_of(folder))
        # All are added in one tick of the disk's clock: the first is the oldest.
        age_s = 1000 - len(list(self._root.iterdir()))
        file = store.root / "bundles" / digest
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - age_s))
        return digest


async def received(cache: BundleCache, *jobs_in_use: str) -> None:
    """Serve an upload."""
    await cache.receive(_Nothing(), jobs_in_use=lambda: jobs_in_use)  # type: ignore[arg-type]


class _Nothing:
    """A caller; what it says is not read."""


@pytest.fixture(autouse=True)
def brought(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What an upload brings: put a digest in. By default, a bundle that stands here no more."""
    digests = ["0" * 64]

    async def receive_bundle(*_: Any, on_kept: Any) -> None:
        for digest in digests:
            await on_kept(digest)

    monkeypatch.setattr(bundle_cache, "receive_bundle", receive_bundle)
    return digests


async def test_bundles_used_least_lately_make_room(store: BundleStore, pages: Pages) -> None:
    cache = BundleCache(store, limit_bytes=25 * KIB)
    first, second, third = (pages.add(store, name) for name in ("a", "b", "c"))

    assert await cache.use("job", first)
    await received(cache)

    assert [store.has(digest) for digest in (first, second, third)] == [True, False, True]
    assert len(list((store.root / "blobs").iterdir())) == 2
    assert not await cache.use("job", second)


async def test_a_bundle_that_was_just_sent_stays_until_its_job_has_had_it(
    store: BundleStore, pages: Pages, brought: list[str]
) -> None:
    cache = BundleCache(store, limit_bytes=1)
    digest = pages.add(store, "a")

    brought[:] = [digest]
    await received(cache)
    assert await cache.use("job", digest)
    brought[:] = ["0" * 64]
    await received(cache, "job")
    assert store.has(digest)
    await received(cache)

    assert not store.has(digest)


async def test_a_bundle_stays_while_its_job_is_in_use(store: BundleStore, pages: Pages) -> None:
    cache = BundleCache(store, limit_bytes=1)
    first, second = pages.add(store, "a"), pages.add(store, "b")
    await cache.use("runs", first)
    await cache.use("ended", second)

    await received(cache, "runs")

    assert (store.has(first), store.has(second)) == (True, False)
    await received(cache)
    assert not store.has(first)


async def test_what_bundles_share_stays_until_the_last_of_them_goes(
    store: BundleStore, pages: Pages
) -> None:
    shared = bytes(8 * KIB)
    cache = BundleCache(store, limit_bytes=20 * KIB)
    first, second = (pages.add(store, name, shared=shared) for name in ("a", "b"))

    await received(cache)

    assert (store.has(first), store.has(second)) == (False, True)
    assert all(path.exists() for path in store.files(second).values())
    assert len(list((store.root / "blobs").iterdir())) == 2


async def test_blobs_of_uploads_that_broke_go_first(store: BundleStore, pages: Pages) -> None:
    digest = pages.add(store, "a")
    left = store.root / "blobs" / ("0" * 64)
    left.write_bytes(bytes(20 * KIB))

    await received(BundleCache(store, limit_bytes=15 * KIB))

    assert (store.has(digest), left.exists()) == (True, False)


async def test_nothing_is_removed_while_another_process_uses_the_folder(
    store: BundleStore, pages: Pages
) -> None:
    digest = pages.add(store, "a")
    ours, theirs = (BundleCache(store, limit_bytes=1) for _ in range(2))

    with ours.open():
        with theirs.open():
            await received(ours)
            assert store.has(digest)
        await received(ours)

    assert not store.has(digest)


async def test_a_full_disk_takes_all_that_can_be_spared(
    store: BundleStore, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def receive_bundle(*_: Any, **__: Any) -> None:
        raise StorageFullError("full")

    monkeypatch.setattr(bundle_cache, "receive_bundle", receive_bundle)
    cache = BundleCache(store, limit_bytes=1 << 30)
    kept, spared = pages.add(store, "a"), pages.add(store, "b")
    await cache.use("runs", kept)

    with pytest.raises(StorageFullError):
        await received(cache, "runs")

    assert (store.has(kept), store.has(spared)) == (True, False)
