"""Where a service listens: HOST:PORT."""

from __future__ import annotations

from typing import Final

_LAST_PORT: Final = 65_535


class ListenError(Exception):
    """The address cannot be listened on; the message says which and why."""


def host_and_port(listen: str) -> tuple[str, int]:
    """Read HOST:PORT.

    Raises:
        ListenError: it is something else.

    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise ListenError(f"cannot listen on {listen!r}; write it like 127.0.0.1:50051")
    if int(port) > _LAST_PORT:  # gRPC would take it, and listen on another one
        raise ListenError(f"cannot listen on {listen!r}: ports go up to {_LAST_PORT}")
    return host, int(port)
