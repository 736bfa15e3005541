"""What is S3's own: URLs to upload by, and stores that are not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from coordinator.artifacts.opening import open_artifacts
from coordinator.artifacts.place import S3Place, artifacts_at
from coordinator.artifacts.s3 import S3Artifacts
from executors.errors import StorageDownError
from tests.support.s3_server import new_bucket


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> str:
    return new_bucket(monkeypatch)


@pytest.fixture
def place(url: str) -> S3Place:
    found = artifacts_at(url)
    assert isinstance(found, S3Place)
    return replace(found, retry_timeout=timedelta(seconds=0.1))


async def test_whoever_has_the_url_may_put_that_key_and_no_other(url: str, tmp_path: Path) -> None:
    store = await open_artifacts(url, tmp_path)

    upload = await store.upload_url("chunks/job/one.mp4", valid_s=60)

    assert upload is not None
    assert "/farm/one/chunks/job/one.mp4?" in upload
    assert "X-Amz-Expires=60&" in upload
    async with aiohttp.ClientSession() as session, session.put(upload, data=b"chunk") as answer:
        assert answer.status == 200
    assert await store.size("chunks/job/one.mp4") == 5


async def test_a_folder_has_no_url_to_upload_by(tmp_path: Path) -> None:
    store = await open_artifacts("", tmp_path)

    assert await store.upload_url("key", valid_s=60) is None


async def test_a_bucket_that_is_not_there_is_told_before_anything_is_kept(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(StorageDownError, match=r"s3://other/farm/one cannot be used: .*404"):
        await open_artifacts(url.replace(url.split("/")[2], "other"), tmp_path)


async def test_a_store_that_cannot_be_reached_is_down(place: S3Place, tmp_path: Path) -> None:
    store = S3Artifacts(replace(place, endpoint="http://127.0.0.1:1"))
    (tmp_path / "file").touch()

    for asking in (
        store.size("key"),
        store.put(tmp_path / "file", "key"),
        store.fetch("key", tmp_path / "never"),
        store.list_prefix(""),
        store.delete("key"),
    ):
        with pytest.raises(StorageDownError, match="cannot be used"):
            await asking
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


async def test_a_bucket_that_went_away_is_a_store_that_is_down(
    place: S3Place, tmp_path: Path
) -> None:
    store = S3Artifacts(replace(place, bucket="gone"))
    (tmp_path / "file").touch()

    with pytest.raises(StorageDownError, match="cannot be used"):
        await store.put(tmp_path / "file", "key")
