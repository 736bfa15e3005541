"""What every ArtifactStore promises."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.artifacts.base import READ_BYTES, ArtifactNotFoundError, ArtifactStore
from coordinator.artifacts.opening import open_artifacts
from tests.support.s3_server import new_bucket

LARGE = os.urandom(9 * READ_BYTES + 17)  # more than one request brings


@pytest.fixture(params=["folder", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ArtifactStore:
    url = new_bucket(monkeypatch) if request.param == "s3" else f"file://{tmp_path}/kept"
    return await open_artifacts(url, tmp_path)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


async def put(store: ArtifactStore, here: Path, *keys: str) -> None:
    for key in keys:
        (here / "file").write_text(key)
        await store.put(here / "file", key)


async def all_of(store: ArtifactStore, key: str, offset: int = 0) -> bytes:
    return b"".join([data async for data in store.read(key, offset=offset)])


async def keys(store: ArtifactStore, prefix: str) -> list[str]:
    return [artifact.key for artifact in await store.list_prefix(prefix)]


async def test_a_file_comes_back_as_it_was(store: ArtifactStore, here: Path) -> None:
    (here / "video").write_bytes(LARGE)

    await store.put(here / "video", "outputs/a b.mp4")
    await store.fetch("outputs/a b.mp4", here / "again")

    assert (here / "again").read_bytes() == LARGE
    assert await store.size("outputs/a b.mp4") == len(LARGE)
    assert sorted(path.name for path in here.iterdir()) == ["again", "video"]


async def test_an_empty_file_is_a_file(store: ArtifactStore, here: Path) -> None:
    (here / "nothing").touch()

    await store.put(here / "nothing", "empty")
    await store.fetch("empty", here / "again")

    assert await store.size("empty") == 0
    assert (here / "again").read_bytes() == b""
    assert await all_of(store, "empty") == b""


async def test_what_is_put_again_takes_the_others_place(store: ArtifactStore, here: Path) -> None:
    for text in ("first, and long", "second"):
        (here / "file").write_text(text)
        await store.put(here / "file", "a/key")

    assert await all_of(store, "a/key") == b"second"


@pytest.mark.parametrize("offset", [0, 1, READ_BYTES, 8 * READ_BYTES + 1, len(LARGE)])
async def test_a_file_is_read_from_any_offset(
    store: ArtifactStore, here: Path, offset: int
) -> None:
    (here / "video").write_bytes(LARGE)
    await store.put(here / "video", "video")

    parts = [data async for data in store.read("video", offset=offset)]

    found = hashlib.sha256(b"".join(parts)).hexdigest()
    assert found == hashlib.sha256(LARGE[offset:]).hexdigest()
    assert all(0 < len(part) <= READ_BYTES for part in parts)


async def test_what_is_not_there_is_said_to_be_not_there(store: ArtifactStore, here: Path) -> None:
    await put(store, here, "a/key")

    for key in ("other", "a", "a/key/below"):
        assert await store.size(key) is None
        with pytest.raises(ArtifactNotFoundError, match=f"holds no {key}"):
            await store.fetch(key, here / "never")
        with pytest.raises(ArtifactNotFoundError):
            await all_of(store, key)
    assert not (here / "never").exists()


async def test_what_stands_at_its_place_can_be_put_and_fetched(tmp_path: Path) -> None:
    store = await open_artifacts("", tmp_path)
    (tmp_path / "video").write_text("as it is")

    await store.put(tmp_path / "video", "video")
    await store.fetch("video", tmp_path / "video")

    assert await all_of(store, "video") == b"as it is"
    with pytest.raises(ArtifactNotFoundError):
        await store.fetch("other", tmp_path / "other")


async def test_keys_are_listed_below_a_prefix_and_no_other(
    store: ArtifactStore, here: Path
) -> None:
    await put(store, here, "jobs/ab/2", "jobs/ab/deep/1", "jobs/a/1", "jobs/abc/3", "top")

    assert await keys(store, "jobs/ab/") == ["jobs/ab/2", "jobs/ab/deep/1"]
    assert await keys(store, "nothing/") == []
    assert await store.list_folders("jobs/") == ["jobs/a/", "jobs/ab/", "jobs/abc/"]
    assert await store.list_folders("nothing/") == []
    assert set(await keys(store, "")) >= {"jobs/a/1", "top"}


async def test_keys_are_found_by_how_they_begin(store: ArtifactStore, here: Path) -> None:
    many = [f"outputs/job-{number:04}.mp4" for number in range(120)]
    await put(store, here, *many, "outputs/job-0007.pictures/a.png", "outputs/job-00070")

    found = await store.list_prefix("outputs/", beginning="job-0007.")
    assert [artifact.key for artifact in found] == [
        "outputs/job-0007.mp4",
        "outputs/job-0007.pictures/a.png",
    ]
    assert len(await store.list_prefix("outputs/", beginning="job-00")) == 102
    assert await store.list_prefix("outputs/", beginning="z") == []


async def test_what_is_listed_says_its_size_and_when_it_was_kept(
    store: ArtifactStore, here: Path
) -> None:
    before = datetime.now(UTC)
    (here / "file").write_bytes(bytes(1234))
    await store.put(here / "file", "a/key")

    (artifact,) = await store.list_prefix("a/")

    assert (artifact.key, artifact.size_bytes) == ("a/key", 1234)
    # S3 tells whole seconds, and file systems the kernel's last tick.
    about = timedelta(seconds=2)
    assert before - about < artifact.modified_at < datetime.now(UTC) + about


async def test_what_is_deleted_is_gone_and_nothing_else(store: ArtifactStore, here: Path) -> None:
    await put(store, here, "jobs/ab/1", "jobs/ab/2", "jobs/a/1", "jobs/abc")

    await store.delete("jobs/ab/1", "jobs/never", "never/was")
    assert await keys(store, "jobs/") == ["jobs/a/1", "jobs/ab/2", "jobs/abc"]

    await store.delete_prefix("jobs/a/")
    await store.delete_prefix("never/")
    assert await keys(store, "jobs/") == ["jobs/ab/2", "jobs/abc"]

    await store.delete_prefix("")
    assert await keys(store, "") == []
    await store.delete()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "a/"])
async def test_a_key_cannot_reach_beyond_the_store(
    store: ArtifactStore, here: Path, key: str
) -> None:
    (here / "file").touch()

    with pytest.raises(ValueError, match="not a key"):
        await store.put(here / "file", key)
    with pytest.raises(ValueError, match="not a key"):
        await store.size(key)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../../", "a"])
async def test_a_prefix_cannot_reach_beyond_the_store(store: ArtifactStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="not a prefix"):
        await store.delete_prefix(prefix)
