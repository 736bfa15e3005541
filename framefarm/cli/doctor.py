"""`framefarm doctor`: what this machine has, what it lacks, and how to get it."""

from __future__ import annotations

import os
from typing import Final

import typer
from rich.table import Table
from rich.text import Text

from framefarm.doctor import Verdict, examine

from .console import give_table

_STYLES: Final = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.MISSING: "bold red"}


def doctor() -> None:
    """Say what this machine has, what it lacks, and how to get it."""
    findings = examine(os.environ)
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        verdict = Text(finding.verdict, style=_STYLES[finding.verdict])
        table.add_row(verdict, finding.name, Text(finding.found, overflow="fold"))
        if finding.remedy:
            table.add_row("", "", Text(f"→ {finding.remedy}", overflow="fold"))
    give_table(table)
    if any(finding.verdict is Verdict.MISSING for finding in findings):
        raise typer.Exit(1)
