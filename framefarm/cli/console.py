"""What is printed, and where: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
import unicodedata
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

OUT: Final = Console()
_PIPE_WIDTH: Final = 400
ERR: Final = Console(stderr=True)


class Verbosity(IntEnum):
    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


def say(message: str, *, style: str | None = None) -> None:
    """Print a line on standard error; it is never cut, wrapped or taken for mark-up."""
    ERR.print(printable(message), style=style, markup=False, highlight=False, soft_wrap=True)


def give(line: str) -> None:
    """Print a line of the result on standard output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def give_table(table: Table) -> None:
    """Print a table on standard output; in a pipe its rows are not folded."""
    console = OUT if OUT.is_terminal else Console(width=_PIPE_WIDTH)
    console.print(table)


def give_json(value: object) -> None:
    give(json.dumps(value, ensure_ascii=False))


def printable(text: str) -> str:
    """Take the control characters out: a page must not steer the user's terminal."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else "�"
        for char in text
    )
