"""ArtifactStore: the port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from renderer.composition import is_bundle_path

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime
    from pathlib import Path

READ_BYTES: Final = 1 << 20


class ArtifactNotFoundError(Exception):
    """The store holds nothing by this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the artifact store holds no {key}")
        self.key = key


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """A file that is kept."""

    key: str
    size_bytes: int
    modified_at: datetime


class ArtifactStore(Protocol):
    """Keeps files by key. What a call has returned is kept, also through a power cut.

    A key is a relative path with forward slashes; a prefix is one that ends with a slash, or "" for
    everything. A file is whole or not there. Who writes a key twice should bring the same bytes.

    Raises:
        StorageFullError: from a call that writes, here or there: there is no room.
        StorageDownError: from any call: the store cannot be reached, or refuses us.

    """

    async def put(self, file: Path, key: str) -> None:
        """Keep a file's bytes, in place of what was there."""
        ...

    async def fetch(self, key: str, file: Path) -> None:
        """Write what is kept to `file`, which has its name when it is whole.

        Raises:
            ArtifactNotFoundError: there is nothing.

        """
        ...

    def read(self, key: str, *, offset: int = 0) -> AsyncGenerator[bytes]:
        """The bytes from `offset` on, at most READ_BYTES at a time, as fast as they are taken.

        Raises:
            ArtifactNotFoundError: there is nothing.

        """
        ...

    async def size(self, key: str) -> int | None:
        """How many bytes are kept; None: nothing is."""
        ...

    async def list_prefix(self, prefix: str, *, beginning: str = "") -> Sequence[Artifact]:
        """What is kept below a prefix, sorted; all, or that whose key goes on with `beginning`."""
        ...

    async def list_folders(self, prefix: str) -> Sequence[str]:
        """The prefixes one step below a prefix, sorted."""
        ...

    async def delete(self, *keys: str) -> None:
        """Keep these no more, if they are there."""
        ...

    async def delete_prefix(self, prefix: str) -> None:
        """Keep nothing below a prefix any more."""
        ...

    async def forget_unended(self, *, before: datetime) -> int:
        """Remove what killed processes were putting before then, and is no file; how many."""
        ...

    async def upload_url(self, key: str, *, valid_s: float) -> str | None:
        """Where anyone may PUT the bytes of this key for a while; None: the store has no such."""
        ...


def checked_key(key: str) -> str:
    """The key, if it is one.

    Raises:
        ValueError: it would reach beyond the store.

    """
    if not is_bundle_path(key):
        raise ValueError(f"not a key: {key!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix, if it is one; ValueError otherwise."""
    if prefix and not (prefix.endswith("/") and is_bundle_path(prefix.removesuffix("/"))):
        raise ValueError(f"not a prefix: {prefix!r}")
    return prefix
