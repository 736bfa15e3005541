"""Edges: what a chunk shows where it meets its neighbours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Pictures where a chunk meets its neighbours, as PNG files; empty where there is none."""

    first: bytes = b""  # of its own first frame
    following: bytes = b""  # of the frame after its last
