"""Bundles that stand here, or in the artifact store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coordinator.artifacts.bundles import KeptBundles
from coordinator.artifacts.folder import open_folder
from coordinator.artifacts.shelf import Shelf
from executors.errors import BundleAbsentError
from renderer.bundle import BundleStore, manifest_of


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "here", open_folder(tmp_path / "kept"))


def bundles(shelf: Shelf) -> KeptBundles:
    return KeptBundles(BundleStore(shelf.root), shelf)


@pytest.fixture
async def digest(shelf: Shelf, tmp_path: Path) -> str:
    """A bundle that was kept by a coordinator whose disk is lost since."""
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<h1>hi</h1>")
    (page / "again.html").write_text("<h1>hi</h1>")
    (page / "style.css").write_text("a{}")
    before = bundles(shelf)
    digest = before.here.add_folder(page, manifest_of(page))
    await before.keep(digest)
    shutil.rmtree(shelf.root)
    return digest


async def test_a_kept_bundle_is_brought_when_it_is_wanted(shelf: Shelf, digest: str) -> None:
    found = await bundles(shelf).files(digest)

    assert {path: file.read_text() for path, file in found.items()} == {
        "again.html": "<h1>hi</h1>",
        "index.html": "<h1>hi</h1>",
        "style.css": "a{}",
    }
    assert not list(shelf.root.rglob(".*"))


async def test_a_bundle_that_nobody_has_is_a_key_error(shelf: Shelf) -> None:
    for digest in ("ab" * 32, "no digest", "../up"):
        with pytest.raises(KeyError):
            await bundles(shelf).files(digest)
    with pytest.raises(BundleAbsentError, match="upload it"):
        await bundles(shelf).bring(["ab" * 32])


async def test_a_bundle_of_which_a_blob_is_lost_is_a_key_error(shelf: Shelf, digest: str) -> None:
    blobs = await shelf.store.list_prefix("blobs/")
    await shelf.store.delete(blobs[0].key)

    with pytest.raises(KeyError):
        await bundles(shelf).files(digest)
    assert not bundles(shelf).here.has(digest)


async def test_a_blob_whose_kept_bytes_are_others_is_not_taken(
    shelf: Shelf, digest: str, tmp_path: Path
) -> None:
    blobs = await shelf.store.list_prefix("blobs/")
    (tmp_path / "kept" / blobs[0].key).write_text("others")

    with pytest.raises(KeyError):
        await bundles(shelf).files(digest)
    assert not (shelf.root / blobs[0].key).exists()


async def test_without_a_store_elsewhere_nothing_is_brought(tmp_path: Path) -> None:
    kept = bundles(Shelf(tmp_path))

    with pytest.raises(KeyError):
        await kept.files("ab" * 32)
    with pytest.raises(KeyError):
        await kept.files("no digest")
