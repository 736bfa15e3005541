from __future__ import annotations

import hashlib
import os
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer import bundle
from renderer.bundle import BundleFile, BundleManifest, BundleStore, manifest_of
from renderer.composition import is_bundle_path
from renderer.errors import InvalidRequestError

SOME_SHA256 = hashlib.sha256(b"some").hexdigest()
paths = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(is_bundle_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A composition of three files in two folders, two of them alike."""
    root = tmp_path / "composition"
    (root / "img").mkdir(parents=True)
    (root / "index.html").write_text("<h1>hi</h1>")
    (root / "img" / "a.svg").write_text("<svg/>")
    (root / "img" / "b.svg").write_text("<svg/>")
    return root


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


def put(store: BundleStore, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    with closing(store.writer(sha256)) as writer:
        writer.write(data)
        writer.finish()
    return sha256


def test_a_folder_is_described_by_its_files_sorted_by_path(folder: Path) -> None:
    manifest = manifest_of(folder)

    assert [file.path for file in manifest.files] == ["img/a.svg", "img/b.svg", "index.html"]
    assert manifest.size_bytes == 6 + 6 + 11
    assert manifest.files[0].sha256 == hashlib.sha256(b"<svg/>").hexdigest()


def test_the_digest_depends_on_names_and_bytes_alone(folder: Path, tmp_path: Path) -> None:
    digest = manifest_of(folder).digest
    moved = folder.rename(tmp_path / "elsewhere")
    os.utime(moved / "index.html", (0, 0))

    assert manifest_of(moved).digest == digest
    (moved / "index.html").write_text("<h1>ho</h1>")
    assert manifest_of(moved).digest != digest


def test_hidden_files_stay_out(folder: Path) -> None:
    before = manifest_of(folder)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    (folder / ".env").write_text("secret")

    assert manifest_of(folder) == before


def test_links_that_lead_out_of_the_folder_stay_out(folder: Path, tmp_path: Path) -> None:
    before = manifest_of(folder)
    (tmp_path / "secret").write_text("secret")
    (folder / "leak").symlink_to(tmp_path / "secret")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "out").symlink_to(tmp_path)

    assert manifest_of(folder) == before


def test_a_link_to_a_file_inside_is_that_file(folder: Path) -> None:
    (folder / "c.svg").symlink_to("img/a.svg")

    assert "c.svg" in [file.path for file in manifest_of(folder).files]


def test_pipes_and_sockets_stay_out(folder: Path) -> None:
    before = manifest_of(folder)
    os.mkfifo(folder / "pipe")

    assert manifest_of(folder) == before


def test_the_output_file_can_be_left_out(folder: Path) -> None:
    before = manifest_of(folder)
    (folder / "out.mp4").write_bytes(b"yesterday's video")

    assert manifest_of(folder, leave_out=[folder / "out.mp4"]) == before


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="at least one file"):
        manifest_of(tmp_path)


def test_a_folder_with_too_many_files_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MAX_FILES", 2)

    with pytest.raises(InvalidRequestError, match="more than 2 files; put the composition"):
        manifest_of(folder)


def test_a_manifest_that_claims_too_many_bytes_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="over the limit"):
        BundleManifest((BundleFile("big", bundle.MAX_BYTES + 1, SOME_SHA256),))


def test_a_name_that_is_not_utf_8_is_refused_by_name(folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")

    with pytest.raises(InvalidRequestError, match=r"caf\\udce9.png.* rename the file"):
        manifest_of(folder)


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b", "", "a\\b", "a\nb"])
def test_a_path_that_leaves_the_bundle_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a plain relative path"):
        BundleFile(path, 1, SOME_SHA256)


@pytest.mark.parametrize(("size_bytes", "sha256"), [(-1, SOME_SHA256), (1, "abc"), (1, "../x")])
def test_a_file_has_a_size_and_a_digest(size_bytes: int, sha256: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a size and a sha256"):
        BundleFile("a", size_bytes, sha256)


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_a_manifest_is_sorted_and_names_each_path_once(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequestError, match="each path once, sorted"):
        BundleManifest(tuple(BundleFile(name, 1, SOME_SHA256) for name in names))


@given(st.dictionaries(paths, st.integers(0, 1000), min_size=1, max_size=8))
def test_a_manifest_reads_back_from_its_text(sizes: dict[str, int]) -> None:
    files = (BundleFile(path, size_bytes, SOME_SHA256) for path, size_bytes in sizes.items())
    manifest = BundleManifest(tuple(sorted(files)))

    assert BundleManifest.parse(manifest.text) == manifest


def test_a_store_gives_back_the_bytes_of_every_path(folder: Path, store: BundleStore) -> None:
    manifest = manifest_of(folder)
    assert not store.has(manifest.digest)

    digest = store.add_folder(folder, manifest)

    assert digest == manifest.digest
    assert store.has(digest)
    assert store.manifest(digest) == manifest
    for path, blob in store.files(digest).items():
        assert blob.read_bytes() == (folder / path).read_bytes()


def test_names_with_unusual_line_ends_survive_the_store(folder: Path, store: BundleStore) -> None:
    (folder / "line\u2028end\u0085.css").write_text("a{}")
    manifest = manifest_of(folder)

    store.add_folder(folder, manifest)

    assert store.manifest(manifest.digest) == manifest


def test_alike_files_are_stored_once(folder: Path, store: BundleStore, tmp_path: Path) -> None:
    store.add_folder(folder, manifest_of(folder))

    assert len(list((tmp_path / "store" / "blobs").iterdir())) == 2


def test_only_what_is_missing_is_asked_for_and_each_blob_once(
    folder: Path, store: BundleStore
) -> None:
    manifest = manifest_of(folder)
    page = put(store, b"<h1>hi</h1>")

    missing = store.missing(manifest)

    assert missing == [hashlib.sha256(b"<svg/>").hexdigest()]
    assert page not in missing


def test_a_bundle_with_a_missing_blob_is_not_kept(folder: Path, store: BundleStore) -> None:
    manifest = manifest_of(folder)

    with pytest.raises(InvalidRequestError, match="2 blobs were never sent"):
        store.keep(manifest)

    assert not store.has(manifest.digest)


def test_a_bundle_that_lies_about_a_size_is_not_kept(store: BundleStore) -> None:
    manifest = BundleManifest((BundleFile("a", 0, put(store, b"much more than nothing")),))

    with pytest.raises(InvalidRequestError, match="a has 22 bytes, not 0"):
        store.keep(manifest)


def test_a_blob_with_other_bytes_than_its_digest_leaves_nothing(
    store: BundleStore, tmp_path: Path
) -> None:
    with closing(store.writer(SOME_SHA256)) as writer:
        writer.write(b"other")
        with pytest.raises(InvalidRequestError, match="other bytes than its digest"):
            writer.finish()

    assert not list((tmp_path / "store" / "blobs").iterdir())


def test_a_blob_that_was_not_finished_leaves_nothing(store: BundleStore, tmp_path: Path) -> None:
    with closing(store.writer(SOME_SHA256)) as writer:
        writer.write(b"so")

    assert not list((tmp_path / "store" / "blobs").iterdir())


@pytest.mark.parametrize("digest", ["", ".", "..", "../blobs", SOME_SHA256])
def test_an_unknown_bundle_is_a_key_error(digest: str, store: BundleStore) -> None:
    assert not store.has(digest)
    with pytest.raises(KeyError):
        store.manifest(digest)


def test_a_blob_is_asked_for_by_digest_only(store: BundleStore) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        store.blob("../../etc/passwd")
