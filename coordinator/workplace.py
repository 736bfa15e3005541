"""Workplaces: folders in which a job's files are made, beside where they will stand.

Coordinators may share a data directory. A folder's name tells the term of who works there, so that
one that was followed, and does not know yet, takes no later one's away.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_NAME: Final = re.compile(r"\.work-(\d+)-")


@contextmanager
def workplace(output: Path, *, term: int | None) -> Generator[Path]:
    """A folder beside a file that is to be made, gone with the block."""
    beside = output.absolute().parent
    with tempfile.TemporaryDirectory(prefix=f".work-{term or 0}-", dir=beside) as folder:
        yield Path(folder)


def sweep_workplaces(folder: Path, *, term: int | None) -> None:
    """Remove what killed processes left; all of it, or what is of no later term."""
    for path in folder.glob(".*"):
        if path.is_dir() and not _is_later(path.name, term):  # files are not ours
            shutil.rmtree(path, ignore_errors=True)


def _is_later(name: str, term: int | None) -> bool:
    made_in = _NAME.match(name)
    return term is not None and made_in is not None and int(made_in[1]) > term
