"""A ZIP of pictures becomes files: one a frame, named by a pattern like frames/%05d.png."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import DownloadDamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = re.compile(r"%(?:0[1-9])?d")
_ENTRY: Final = re.compile(r"([0-9]{8,})\.(png|jpg|webp)", re.ASCII)


async def unpack(archive: Path, pattern: Path) -> None:
    """Write every picture of `archive`; none of them, when it is damaged.

    Raises:
        DownloadDamagedError: it is no ZIP of pictures.
        OSError: a file cannot be written.

    """
    await asyncio.to_thread(_unpack, archive, pattern)


def name_of(pattern: Path, frame: int) -> Path:
    """The file of a frame."""
    return pattern.with_name(_NUMBER.sub(lambda found: found[0] % frame, pattern.name, count=1))


def pictures_of(pattern: Path) -> Iterator[Path]:
    """The files that are there and that a frame's picture could have made."""
    if not pattern.parent.is_dir():
        return
    before, after = _NUMBER.split(pattern.name, maxsplit=1)
    for path in pattern.parent.iterdir():
        middle = path.name[len(before) : len(path.name) - len(after)]
        if middle.isdecimal() and path.name == f"{before}{middle}{after}":
            yield path


def _unpack(archive: Path, pattern: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".framefarm-", dir=pattern.parent) as folder:
        try:
            with zipfile.ZipFile(archive) as file:
                parts = list(_parts(file, Path(folder)))
        except zipfile.BadZipFile as error:
            raise DownloadDamagedError(f"the farm's ZIP of pictures is damaged: {error}") from error
        for frame, part in parts:
            part.replace(name_of(pattern, frame))


def _parts(file: zipfile.ZipFile, folder: Path) -> Iterator[tuple[int, Path]]:
    for entry in file.infolist():
        found = _ENTRY.fullmatch(entry.filename)
        if found is None:
            raise DownloadDamagedError(f"{entry.filename!r:.80} is no picture of a frame")
        part = folder / entry.filename
        with file.open(entry) as source, part.open("xb") as target:
            shutil.copyfileobj(source, target)
        yield int(found[1]), part
