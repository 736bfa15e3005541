"""A farm's client, for a command: what it waits for is said on standard error."""

from __future__ import annotations

from framefarm.client import FarmClient
from framefarm.patience import WAIT_S

from .console import say


def farm_client(farm: str, *, wait_s: float = WAIT_S) -> FarmClient:
    """Talk to a farm; enter it to connect."""
    return FarmClient(farm, wait_s=wait_s, on_wait=say)
