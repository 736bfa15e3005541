"""Which artifact store a URL names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from renderer.composition import is_bundle_path

from .folder import open_folder
from .s3 import S3Artifacts, S3Place

if TYPE_CHECKING:
    from .base import ArtifactStore

_OPTIONS: Final = frozenset({"endpoint", "region"})


async def open_artifacts(url: str, data_dir: Path) -> ArtifactStore:
    """Open the store that a URL names; "" is the folder `data_dir`.

    Raises:
        ValueError: the URL names none; the message says what would.
        StorageDownError: it cannot be reached, or refuses us.

    """
    match artifacts_at(url or data_dir):
        case Path() as folder:
            return await asyncio.to_thread(open_folder, folder)
        case place:
            store = S3Artifacts(place)
            await store.check()
            return store


def artifacts_at(url: str | Path) -> Path | S3Place:
    """Read the URL of an artifact store.

    Raises:
        ValueError: it is none; the message says what would be one.

    """
    if isinstance(url, Path):
        return url
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return Path(unquote(parts.path))
    if parts.scheme == "s3":
        return _s3(url)
    raise ValueError(
        f"artifacts: {url!r} names no store; file:///FOLDER or "
        "s3://BUCKET/PREFIX?endpoint=URL&region=NAME would"
    )


def _s3(url: str) -> S3Place:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"artifacts: {url!r} has {sorted(unknown)}, but there is endpoint, region")
    endpoint, prefix = options.get("endpoint", ""), unquote(parts.path).strip("/")
    if not parts.netloc or "@" in parts.netloc:
        raise ValueError(f"artifacts: {url!r} names no bucket, as in s3://BUCKET/PREFIX")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValueError(f"artifacts: the endpoint {endpoint!r} is no http:// or https:// URL")
    if prefix and not is_bundle_path(prefix):
        raise ValueError(f"artifacts: {prefix!r} is no plain prefix, as in s3://BUCKET/farm/one")
    return S3Place(
        bucket=parts.netloc, prefix=prefix, endpoint=endpoint, region=options.get("region", "")
    )
