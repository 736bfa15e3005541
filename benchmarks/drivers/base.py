"""Peer: another program that renders our pages to video. Command: how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.pages import Page


class PeerMissingError(Exception):
    """A peer cannot be run here; the message is the word that stands in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments, its folder, and what is added to its environment."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


class Peer(Protocol):
    """A program of one version."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def unit(self) -> str:
        """What it calls a browser or a tab that renders beside others: worker, or slot."""
        ...

    @property
    def workers(self) -> tuple[int, ...]:
        """With how many of them it is tried."""
        ...

    def install(self) -> None:
        """Bring it, unless it is there.

        Raises:
            PeerMissingError: it cannot be brought.

        """
        ...

    def prepare(self, pages: tuple[Page, ...]) -> None:
        """Write the pages as it wants them."""
        ...

    def renders(self, page: Page) -> bool:
        """Whether it is tried on this page."""
        ...

    def command(self, page: Page, workers: int, output: Path) -> Command: ...
