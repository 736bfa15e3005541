"""Results as Markdown: what was measured, on what, in tables with a picture each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).parent / "results"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table.

    Raises:
        ValueError: a row has not as many cells as the head.

    """
    if uneven := [row for row in rows if len(row) != len(head)]:
        raise ValueError(f"the head has {len(head)} cells, but a row is {uneven[0]}")
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def write_report(name: str, lines: Sequence[str]) -> Path:
    """Write `results/NAME.md`; what was measured before is replaced."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
