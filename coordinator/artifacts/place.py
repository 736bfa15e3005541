"""Which artifact store a URL names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from renderer.composition import is_bundle_path

_OPTIONS: Final = frozenset({"endpoint", "region"})
# A store that is down for longer stops the jobs, which go on when it is back.
_RETRY_TIMEOUT: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """A prefix in a bucket. Without an endpoint it is AWS'."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    retry_timeout: timedelta = _RETRY_TIMEOUT

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def artifacts_at(url: str) -> Path | S3Place:
    """Read the URL of an artifact store.

    Raises:
        ValueError: it is none; the message says what would be one.

    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return Path(unquote(parts.path))
    if parts.scheme == "s3":
        return _s3(url)
    raise ValueError(
        f"{url!r} names no store; file:///FOLDER or "
        "s3://BUCKET/PREFIX?endpoint=URL&region=NAME would"
    )


def _s3(url: str) -> S3Place:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"{url!r} has {sorted(unknown)}, but there is endpoint, region")
    endpoint, prefix = options.get("endpoint", ""), unquote(parts.path).strip("/")
    if not parts.netloc or "@" in parts.netloc:
        raise ValueError(f"{url!r} names no bucket, as in s3://BUCKET/PREFIX")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValueError(f"the endpoint {endpoint!r} is no http:// or https:// URL")
    if prefix and not is_bundle_path(prefix):
        raise ValueError(f"{prefix!r} is no plain prefix, as in s3://BUCKET/farm/one")
    return S3Place(
        bucket=parts.netloc, prefix=prefix, endpoint=endpoint, region=options.get("region", "")
    )
