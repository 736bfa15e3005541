"""Uploads in parts that a killed coordinator left in a bucket."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
import pytest
from aiohttp import web

from coordinator.artifacts.opening import open_artifacts
from coordinator.artifacts.place import S3Place
from coordinator.artifacts.s3 import S3Artifacts
from coordinator.artifacts.unended import read
from executors.errors import StorageDownError
from tests.support.s3_server import endpoint, new_bucket

SECRET: Final = "se/cr+et"
PAGE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <IsTruncated>{is_cut}</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>
  <NextUploadIdMarker>{id}</NextUploadIdMarker>
  <Upload><Key>{key}</Key><UploadId>{id}</UploadId>
    <Initiated>2026-11-0{day}T10:00:00.000Z</Initiated></Upload>
</ListMultipartUploadsResult>"""


async def begin(bucket: str, key: str) -> None:
    """An upload of which one part has come, and whose process was killed."""
    there = f"{endpoint()}/{bucket}/{quote(key)}"
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{there}?uploads") as answer:
            upload_id = (await answer.text()).partition("<UploadId>")[2].partition("<")[0]
        part = {"partNumber": "1", "uploadId": upload_id}
        async with session.put(there, params=part, data=b"part") as answer:
            assert answer.status == 200


async def left_in(bucket: str) -> list[str]:
    url = f"{endpoint()}/{bucket}?uploads"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return sorted(upload.key for upload in read(await answer.read()).uploads)


async def test_those_of_this_farm_are_aborted_when_they_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_bucket(monkeypatch)
    bucket = urlsplit(url).netloc
    store = await open_artifacts(url, tmp_path)
    odd, ours = "farm/one/outputs/a b+ü.t1.mp4", "farm/one/outputs/job.t2.mp4"
    for key in (odd, ours, ours, "farm/ones/outputs/anothers.mp4"):
        await begin(bucket, key)
    kept = tmp_path / "kept"
    kept.write_bytes(b"whole")
    await store.put(kept, "outputs/job.t2.mp4")

    assert await store.forget_unended(before=datetime(2009, 1, 1, tzinfo=UTC)) == 0
    assert len(await left_in(bucket)) == 4
    assert await store.forget_unended(before=datetime.now(UTC)) == 3

    assert await left_in(bucket) == ["farm/ones/outputs/anothers.mp4"]
    assert await store.size("outputs/job.t2.mp4") == 5


async def test_a_store_that_does_not_let_us_is_told_how_it_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new_bucket(monkeypatch)  # credentials
    for place in (endpoint(), "http://127.0.0.1:1"):
        store = S3Artifacts(S3Place(bucket="absent", endpoint=place, region="us-east-1"))
        with pytest.raises(StorageDownError, match=r"never ended cannot be removed: .*lifecycle"):
            await store.forget_unended(before=datetime.now(UTC))


async def test_a_folder_has_none(tmp_path: Path) -> None:
    store = await open_artifacts("", tmp_path)

    assert await store.forget_unended(before=datetime.now(UTC)) == 0


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        "",
        '{"uploads": []}',
        PAGE.format(is_cut="false", key="farm/a", id="1", day="x"),
        PAGE.format(is_cut="true", key="", id="", day=1),
    ],
)
async def test_a_store_that_is_not_quite_s3_ends_no_coordinator(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    async def say(request: web.Request) -> web.Response:
        del request
        return web.Response(text=answer)

    async with server(say) as address:
        store = S3Artifacts(S3Place(bucket="b", endpoint=address, region="us-east-1"))
        with pytest.raises(StorageDownError, match=r"OddAnswerError.*lifecycle"):
            await store.forget_unended(before=datetime(2026, 11, 1, tzinfo=UTC))


async def test_each_request_is_signed_as_s3_reads_it_and_long_lists_come_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    async with strict_s3() as (address, asked):
        place = S3Place(bucket="b", prefix="farm one", endpoint=address, region="eu-central-1")

        gone = await S3Artifacts(place).forget_unended(before=datetime(2026, 11, 3, tzinfo=UTC))

    assert gone == 2
    whole = {"uploads": "", "prefix": "farm one/"}
    ends = [{"uploadId": f"id={n}/+"} for n in range(3)]
    after = [{"key-marker": f"farm one/{n}+ü", "upload-id-marker": f"id={n}/+"} for n in range(2)]
    assert asked == [
        ("GET", "/b", whole),
        ("DELETE", "/b/farm one/0+ü", ends[0]),
        ("GET", "/b", whole | after[0]),
        ("DELETE", "/b/farm one/1+ü", ends[1]),
        ("GET", "/b", whole | after[1]),
    ]


@asynccontextmanager
async def strict_s3() -> AsyncGenerator[tuple[str, list[tuple[str, str, dict[str, str]]]]]:
    """A server with three uploads, one a page, that refuses what is not signed rightly."""
    asked: list[tuple[str, str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.Response:
        if signature(request) != request.query["X-Amz-Signature"]:
            return web.Response(status=403, text="SignatureDoesNotMatch")
        told = {k: v for k, v in request.query.items() if not k.startswith(("X-Amz-", "x-id"))}
        asked.append((request.method, request.path, told))
        if request.method == "DELETE":
            return web.Response(status=204)
        number = sum(method == "GET" for method, _, _ in asked) - 1
        key, upload_id = f"farm one/{number}+ü", f"id={number}/+"
        is_cut = "true" if number < 2 else "false"
        text = PAGE.format(is_cut=is_cut, key=key, id=upload_id, day=number + 1)
        return web.Response(text=text, content_type="application/xml")

    async with server(answer) as address:
        yield address, asked


@asynccontextmanager
async def server(
    answer: Callable[[web.Request], Awaitable[web.Response]],
) -> AsyncGenerator[str]:
    """The address of an HTTP server."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def signature(request: web.Request) -> str:
    """AWS' signature, version 4, of a request whose query bears it: worked out once more."""
    path, _, query = request.raw_path.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    given.pop("X-Amz-Signature")
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in given.items())
    asked = "&".join(f"{k}={v}" for k, v in pairs)
    canonical = f"{request.method}\n{path}\n{asked}\nhost:{request.host}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = given["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"{given['X-Amz-Algorithm']}\n{given['X-Amz-Date']}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()
