"""Uploads that never ended: the parts of files that a killed process was bringing to a bucket.

No listing of keys shows them, and they cost room. obstore has no calls for them. It signs a URL for
any endpoint, though, with whatever credentials it finds: the request is put into the endpoint.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import aiohttp
import obstore
from yarl import URL

from executors.errors import StorageDownError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from obstore.store import S3Store

_VALID: Final = timedelta(minutes=5)
_LIMITS: Final = aiohttp.ClientTimeout(total=60.0, sock_connect=5.0)
_GONE: Final = 404  # somebody else was faster
# What obstore appends to an endpoint ends up in this parameter. S3's own clients send it, too: it
# names the call, for logs.
_REST: Final = "x-id"
_PROBLEM_LENGTH: Final = 300


class OddAnswerError(Exception):
    """A store says what S3 does not."""


@dataclass(frozen=True, slots=True)
class UnendedUpload:
    """An upload in parts that has neither been completed nor aborted."""

    key: str
    id: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of uploads, and the key and id that the next part comes after, if any."""

    uploads: tuple[UnendedUpload, ...]
    after: tuple[str, str] | None


class UnendedUploads:
    """Those of a bucket whose keys begin with `prefix`.

    `store` is one of the bucket; `store_at` opens one of the same kind at another endpoint.
    """

    def __init__(
        self, store: S3Store, prefix: str, store_at: Callable[[str], S3Store], *, name: str
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._store_at = store_at
        self._name = name

    async def abort(self, *, before: datetime) -> int:
        """Abort those that began before then; how many.

        Raises:
            StorageDownError: the store cannot be reached, or does not let us.

        """
        count = 0
        try:
            async with aiohttp.ClientSession(timeout=_LIMITS) as session:
                async for upload in self._listed(session):
                    if upload.began_at < before:
                        await self._abort(session, upload)
                        count += 1
        except (aiohttp.ClientError, TimeoutError, OddAnswerError) as error:
            raise self._down(repr(error)) from error
        return count

    async def _listed(self, session: aiohttp.ClientSession) -> AsyncGenerator[UnendedUpload]:
        after = "", ""
        while True:
            url = await self._signed("GET", listing(self._prefix, after))
            async with session.get(url) as answer:
                await self._check(answer)
                page = read(await answer.read())
            for upload in page.uploads:
                yield upload
            if page.after is None:
                return
            if page.after == after:  # for ever, then
                raise OddAnswerError(f"after {after} came a list that goes on after {page.after}")
            after = page.after

    async def _abort(self, session: aiohttp.ClientSession, upload: UnendedUpload) -> None:
        async with session.delete(await self._signed("DELETE", aborting(upload))) as answer:
            if answer.status != _GONE:
                await self._check(answer)

    async def _signed(self, method: Literal["GET", "DELETE"], request: str) -> URL:
        """The URL of a request, signed; as it is signed it has to be sent."""
        return URL(await asyncio.to_thread(self._sign, method, request), encoded=True)

    def _sign(self, method: Literal["GET", "DELETE"], request: str) -> str:
        key = f"{self._prefix}uploads"
        somewhere = obstore.sign(self._store, "GET", "uploads", _VALID).partition("?")[0]
        bucket = somewhere.rsplit("/", maxsplit=key.count("/") + 1)[0]
        store = self._store_at(f"{bucket}{request}&{_REST}=")
        return obstore.sign(store, method, "uploads", _VALID)

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        if not answer.ok:
            said = " ".join((await answer.text(errors="replace")).split())[:_PROBLEM_LENGTH]
            raise self._down(f"HTTP {answer.status} {answer.reason} {said}")

    def _down(self, why: str) -> StorageDownError:
        return StorageDownError(
            f"uploads to {self._name} that never ended cannot be removed: {why}; allow "
            "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or have a lifecycle rule "
            "of the bucket end them"
        )


def listing(prefix: str, after: tuple[str, str]) -> str:
    """What is asked of a bucket for the uploads after a key and an id."""
    key, upload_id = after
    asked = {"uploads": "", "prefix": prefix, "key-marker": key, "upload-id-marker": upload_id}
    return "?" + urlencode({k: v for k, v in asked.items() if v or k == "uploads"}, quote_via=quote)


def aborting(upload: UnendedUpload) -> str:
    return f"/{quote(upload.key)}?uploadId={quote(upload.id, safe='')}"


def read(answer: bytes) -> Page:
    """What a store says of its uploads.

    Raises:
        OddAnswerError: it says something else.

    """
    try:
        found = ET.fromstring(answer)  # noqa: S314  # of the store that keeps all that we have
        uploads = [
            UnendedUpload(
                _text(each, "Key"),
                _text(each, "UploadId"),
                datetime.fromisoformat(_text(each, "Initiated")),
            )
            for each in found.iterfind("{*}Upload")
        ]
    except (ET.ParseError, ValueError) as error:
        raise OddAnswerError(f"{answer[:_PROBLEM_LENGTH]!r} is no list of uploads") from error
    is_cut = _text(found, "IsTruncated") == "true"
    after = _text(found, "NextKeyMarker"), _text(found, "NextUploadIdMarker")
    return Page(tuple(uploads), after if is_cut else None)


def _text(of: ET.Element, name: str) -> str:
    return of.findtext(f"{{*}}{name}") or ""
