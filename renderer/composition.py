"""A composition: the page and its files, named by URL or by the digest of its bundle."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .errors import InvalidRequestError, Violation

_DIGEST_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class PageUrl:
    """A page that is used where it is, at an http(s) URL."""

    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidRequestError(
                [Violation("composition", f"{self.url!r} is not an http or https URL")]
            )

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """A page of an uploaded bundle: the bundle's digest and the page's path in it."""

    digest: str
    entry: str = "index.html"

    def __post_init__(self) -> None:
        if not is_digest(self.digest):
            raise InvalidRequestError(
                [Violation("composition", f"{self.digest!r} is not a sha256 in hex")]
            )
        if not is_bundle_path(self.entry):
            raise InvalidRequestError(
                [Violation("composition", f"{self.entry!r} is not a path inside a bundle")]
            )

    def __str__(self) -> str:
        return f"{self.entry} of bundle {self.digest[:12]}"


Composition = PageUrl | BundleEntry


def is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LENGTH and all(char in "0123456789abcdef" for char in text)


def is_bundle_path(path: str) -> bool:
    """Tell whether `path` is a plain relative path: no `..`, no empty part, no back-slash."""
    return (
        bool(path)
        and posixpath.normpath(path) == path
        and not path.startswith(("/", ".."))
        and path != "."
        and not any(char in path for char in "\\\0\n\r")
    )
