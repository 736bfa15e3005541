"""A composition: the page and its files, named by URL or by the digest of its bundle."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .errors import InvalidRequestError, Violation

_DIGEST_LENGTH: Final = 64
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PageUrl:
    """A page that is used where it is, at an http(s) URL."""

    url: str

    def __post_init__(self) -> None:
        if not _is_web_url(self.url):
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


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that stays open, a port over 65535
        return False
    return named and parts.scheme in ("http", "https") and not _CONTROL.search(url)


def is_digest(text: str) -> bool:
    return len(text) == _DIGEST_LENGTH and all(char in "0123456789abcdef" for char in text)


def is_bundle_path(path: str) -> bool:
    """Tell whether `path` is a plain relative path: no `..`, no empty part, no back-slash.

    It has no control characters and no bytes that are not UTF-8 (lone surrogates in Python).
    """
    return (
        bool(path)
        and posixpath.normpath(path) == path
        and not path.startswith("/")
        and path != "."
        and path.split("/")[0] != ".."
        and "\\" not in path
        and not _CONTROL.search(path)
    )
