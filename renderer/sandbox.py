"""Chromium's sandbox: whether this machine lets it work."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from typing import Final

_SANDBOX_PROBE: Final = """
import ctypes, sys
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
sys.exit(0 if ctypes.CDLL(None).unshare(NEW_USER | NEW_PID | NEW_NET) == 0 else 1)
"""


class Sandbox(StrEnum):
    """Whether Chromium's sandbox is on. AUTO: wherever this machine lets it work."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


async def sandbox_is_on(sandbox: Sandbox) -> bool:
    """Decide AUTO: off for root, and where unprivileged user namespaces do not work."""
    if sandbox is not Sandbox.AUTO:
        return sandbox is Sandbox.ON
    return os.getuid() != 0 and await _user_namespaces_work()


async def _user_namespaces_work() -> bool:
    """Try in a child: some kernels grant the name space but no rights in it."""
    probe = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", _SANDBOX_PROBE)
    return await probe.wait() == 0
