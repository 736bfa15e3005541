"""A port for a server that cannot choose one itself, or that has to keep it."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_BELOW = 10_000


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody has, nor is given for a connection while nobody listens there."""
    first = int(_OUTGOING.read_text().split()[0])
    while True:
        port = random.randrange(first - _BELOW, first)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return port
