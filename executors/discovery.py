"""Where workers are: a fixed list, or a DNS name whose addresses come and go."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Final, Protocol

_LAST_PORT: Final = 65_535
_DNS_PREFIX: Final = "dns:///"


class Discovery(Protocol):
    async def addresses(self) -> frozenset[str]:
        """The workers' HOST:PORT addresses now.

        Raises:
            OSError: they cannot be told now; what was known before still stands.

        """
        ...


@dataclass(frozen=True, slots=True)
class FixedWorkers:
    """Workers that were named one by one."""

    known: frozenset[str]

    async def addresses(self) -> frozenset[str]:
        return self.known


@dataclass(frozen=True, slots=True)
class DnsWorkers:
    """Workers behind a name with one address each, like a headless Service in Kubernetes."""

    name: str
    port: int

    async def addresses(self) -> frozenset[str]:
        found = await asyncio.get_running_loop().getaddrinfo(
            self.name, self.port, type=socket.SOCK_STREAM
        )
        return frozenset(_address(str(row[4][0]), self.port) for row in found)


def discovery(workers: tuple[str, ...]) -> Discovery:
    """Read HOST:PORT addresses, or a single dns:///NAME:PORT.

    Raises:
        ValueError: one of them is neither; the message says which.

    """
    if len(workers) == 1 and workers[0].startswith(_DNS_PREFIX):
        return DnsWorkers(*_host_port(workers[0].removeprefix(_DNS_PREFIX)))
    for worker in workers:
        _host_port(worker)
    if not workers:
        raise ValueError("no worker was named; write HOST:PORT,… or dns:///NAME:PORT")
    return FixedWorkers(frozenset(workers))


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or int(port) > _LAST_PORT:
        raise ValueError(f"{text!r} is not an address; write HOST:PORT or dns:///NAME:PORT")
    return host, int(port)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
