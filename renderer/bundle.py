"""Bundles: a composition's files, content-addressed, in a folder store.

A store holds `blobs/<sha256>` and `bundles/<digest>` (the manifest's text). Files are looked up in
the manifest and read from their blob, so no path of a composition ever reaches the file system.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from .composition import is_bundle_path, is_digest
from .durable import PartFile, sweep_parts, sync
from .errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 4 << 30
COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class BundleFile:
    """One file of a bundle. `path` is relative, with forward slashes."""

    path: str
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not is_bundle_path(self.path):
            raise InvalidRequestError(
                [
                    Violation(
                        "bundle",
                        f"{self.path!r} is not a plain relative path in UTF-8; rename the file",
                    )
                ]
            )
        if not is_digest(self.sha256) or self.size_bytes < 0:
            raise InvalidRequestError(
                [Violation("bundle", f"{self.path}: not a size and a sha256 in hex")]
            )


@dataclass(frozen=True)
class BundleManifest:
    """The files of a bundle, sorted by path. Its digest names the bundle."""

    files: tuple[BundleFile, ...]

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if not paths or paths != sorted(set(paths)):
            raise InvalidRequestError(
                [Violation("bundle", "a bundle has at least one file, each path once, sorted")]
            )
        if len(paths) > MAX_FILES or self.size_bytes > MAX_BYTES:
            raise InvalidRequestError(
                [
                    Violation(
                        "bundle",
                        f"{len(paths)} files of {self.size_bytes >> 20} MiB are over the limit of "
                        f"{MAX_FILES} files and {MAX_BYTES >> 20} MiB; "
                        "put the composition in a folder of its own",
                    )
                ]
            )

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @cached_property
    def text(self) -> str:
        """One line a file: sha256, size, path."""
        return "".join(f"{file.sha256} {file.size_bytes} {file.path}\n" for file in self.files)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def parse(cls, text: str) -> BundleManifest:
        # Not splitlines(): a path may hold what Unicode calls a line's end.
        rows = (line.split(" ", 2) for line in text.removesuffix("\n").split("\n"))
        return cls(tuple(BundleFile(path, int(size), sha256) for sha256, size, path in rows))


def manifest_of(folder: Path, *, leave_out: Collection[Path] = ()) -> BundleManifest:
    """Describe the regular files below `folder`; hidden ones and links to elsewhere stay out.

    Blocks: reads every file once. `leave_out` holds absolute paths (the output file, say).
    """
    skipped = {path.resolve() for path in leave_out}
    found: list[Path] = []
    for path in _walk(folder.resolve()):
        if path not in skipped:
            found.append(path)
        if len(found) > MAX_FILES:
            raise InvalidRequestError(
                [
                    Violation(
                        "source",
                        f"{folder} holds more than {MAX_FILES} files; "
                        "put the composition in a folder of its own",
                    )
                ]
            )
    return files_manifest(folder.resolve(), found)


def files_manifest(folder: Path, paths: Iterable[Path]) -> BundleManifest:
    """Describe just these files, named relative to `folder`. Blocks."""
    files = (
        BundleFile(path.relative_to(folder).as_posix(), path.stat().st_size, sha256_of(path))
        for path in paths
    )
    return BundleManifest(tuple(sorted(files)))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class BundleStore:
    """Blobs and manifests in a folder. Every method blocks on the disk.

    A bundle that is kept outlives a power cut.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs"
        self._bundles = root / "bundles"
        for folder in (self._blobs, self._bundles):
            folder.mkdir(parents=True, exist_ok=True)
            sweep_parts(folder)

    def has(self, digest: str) -> bool:
        return is_digest(digest) and (self._bundles / digest).exists()

    def missing(self, manifest: BundleManifest) -> list[str]:
        """The digests of the blobs that are not here yet, each once."""
        wanted = dict.fromkeys(file.sha256 for file in manifest.files)
        return [sha256 for sha256 in wanted if not self.blob(sha256).exists()]

    def blob(self, sha256: str) -> Path:
        """Where the blob stands, or would stand."""
        if not is_digest(sha256):
            raise ValueError(f"not a digest: {sha256!r}")
        return self._blobs / sha256

    def manifest_file(self, digest: str) -> Path:
        """Where the manifest of a bundle stands, or would stand."""
        if not is_digest(digest):
            raise ValueError(f"not a digest: {digest!r}")
        return self._bundles / digest

    def writer(self, sha256: str) -> BlobWriter:
        """Begin to write a blob; it counts once `finish()` has found its digest right."""
        return BlobWriter(self.blob(sha256), sha256)

    def keep(self, manifest: BundleManifest) -> str:
        """Register a bundle whose blobs are all here, and return its digest."""
        if absent := self.missing(manifest):
            raise InvalidRequestError(
                [Violation("bundle", f"{len(absent)} blobs were never sent, {absent[0]} first")]
            )
        for file in manifest.files:
            if (held := self.blob(file.sha256).stat().st_size) != file.size_bytes:
                raise InvalidRequestError(
                    [Violation("bundle", f"{file.path} has {held} bytes, not {file.size_bytes}")]
                )
        writer = BlobWriter(self._bundles / manifest.digest, manifest.digest)
        with closing(writer):
            writer.write(manifest.text.encode())
            sync(self._blobs)  # once for all blobs: it is the manifest that says they are here
            writer.finish()
        sync(self._bundles)
        return manifest.digest

    def add_folder(self, folder: Path, manifest: BundleManifest) -> str:
        """Copy in a folder that `manifest` describes."""
        for file in manifest.files:
            if not self.blob(file.sha256).exists():
                with (folder / file.path).open("rb") as source:
                    self._copy(source, file.sha256)
        return self.keep(manifest)

    def _copy(self, source: IO[bytes], sha256: str) -> None:
        with closing(self.writer(sha256)) as blob:
            while block := source.read(COPY_BYTES):
                blob.write(block)
            blob.finish()

    def manifest(self, digest: str) -> BundleManifest:
        """Read a bundle's manifest.

        Raises:
            KeyError: no such bundle here.

        """
        if not self.has(digest):
            raise KeyError(digest)
        # Bytes: reading as text would turn what looks like a line's end into one.
        return BundleManifest.parse((self._bundles / digest).read_bytes().decode())

    def files(self, digest: str) -> Mapping[str, Path]:
        """A bundle's paths, each with the file that holds its bytes; KeyError if unknown."""
        return {file.path: self.blob(file.sha256) for file in self.manifest(digest).files}


class BlobWriter:
    """A temporary file beside `path` that takes its name when its bytes are found right."""

    def __init__(self, path: Path, sha256: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._part = PartFile(path.parent)

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._part.write(data)

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            InvalidRequestError: other bytes were written than the digest names.

        """
        if self._digest.hexdigest() != self._sha256:
            raise InvalidRequestError(
                [
                    Violation(
                        "bundle", f"blob {self._sha256[:12]}… holds other bytes than its digest"
                    )
                ]
            )
        self._part.place(self._path)

    def close(self) -> None:
        """Drop what has not been finished."""
        self._part.close()


def _walk(folder: Path) -> Iterable[Path]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(base, name)
            if not name.startswith(".") and _is_ours(path, folder):
                yield path


def _is_ours(path: Path, folder: Path) -> bool:
    """A regular file, or a link to one that stays inside the folder."""
    try:
        return stat.S_ISREG(path.stat().st_mode) and path.resolve().is_relative_to(folder)
    except OSError:  # a dangling link
        return False
