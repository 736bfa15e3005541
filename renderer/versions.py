"""What programs said of their version, remembered for as long as they are the same files.

To ask ffmpeg costs 60 ms of CPU, for it is linked before it reads what it is asked.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from .durable import PartFile

if TYPE_CHECKING:
    from pathlib import Path

# A script's words are another program's, which may change behind it.
_BINARY: Final = b"\x7fELF"
_MOST: Final = 32

log = logging.getLogger(__name__)


class Versions:
    """A file of words by program. What cannot be read or written is not remembered. Blocks."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, program: Path) -> str | None:
        """What a program has said, if nothing has touched it since."""
        known, identity = self._known().get(str(program)), identity_of(program)
        if identity is None or not isinstance(known, dict) or known.get("identity") != identity:
            return None
        said = known.get("said")
        return said if isinstance(said, str) else None

    def remember(self, program: Path, said: str) -> None:
        if (identity := identity_of(program)) is None:
            return
        known = self._known()
        known.pop(str(program), None)
        known[str(program)] = {"identity": identity, "said": said}
        newest = dict(list(known.items())[-_MOST:])
        try:
            self._write(json.dumps(newest).encode())
        except OSError as error:
            log.debug("versions are not remembered", extra={"why": str(error)})

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, content: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(PartFile(self._file.parent)) as part:
            part.write(content)
            part.place(self._file)


def identity_of(program: Path) -> str | None:
    """What changes when a program does; None for one that cannot be told by its file.

    That is a script, and what hands on to others by the name it was called by: its file has
    another name.
    """
    try:
        real = program.resolve(strict=True)
        facts = real.stat()
        with real.open("rb") as file:
            is_binary = file.read(len(_BINARY)) == _BINARY
    except OSError:
        return None
    if not is_binary or not real.name.startswith(program.name):
        return None
    numbers = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    return f"{os.fspath(real)} {' '.join(map(str, numbers))}"
