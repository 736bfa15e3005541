"""Which artifact store a URL names."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.artifacts.place import S3Place, artifacts_at


def test_a_folder_is_named_by_a_file_url() -> None:
    assert artifacts_at("file:///mnt/my%20farm") == Path("/mnt/my farm")


def test_a_bucket_is_named_with_or_without_a_prefix() -> None:
    assert artifacts_at("s3://bucket") == S3Place(bucket="bucket")
    assert artifacts_at("s3://bucket/farm/one/") == S3Place(bucket="bucket", prefix="farm/one")


def test_a_store_that_is_not_aws_has_an_endpoint() -> None:
    place = artifacts_at("s3://b/p?endpoint=http://minio:9000&region=eu-1")

    assert place == S3Place(bucket="b", prefix="p", endpoint="http://minio:9000", region="eu-1")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("bucket", "names no store; file:///FOLDER or s3://BUCKET"),
        ("/folder", "names no store"),
        ("file://host/folder", "names no store"),
        ("gs://bucket", "names no store"),
        ("s3:///prefix", "names no bucket"),
        ("s3://key:secret@bucket", "names no bucket"),
        ("s3://bucket?endpoint=minio:9000", "the endpoint 'minio:9000' is no http"),
        ("s3://bucket?regoin=x", r"has \['regoin'\], but there is endpoint, region"),
        ("s3://bucket/a/../b", "no plain prefix"),
    ],
)
def test_a_wrong_url_is_told_with_what_would_be_right(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        artifacts_at(url)
