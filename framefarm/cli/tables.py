"""Tables on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from .console import give_table, printable

if TYPE_CHECKING:
    from collections.abc import Iterable


def print_table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(text) for text in row))
    give_table(table)


def _cell(text: str) -> str:
    return printable(text).replace("[", r"\[")  # a job's URL is no mark-up
