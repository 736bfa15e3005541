"""A gRPC server with health, reflection and our error handling."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from .interceptors import CallInterceptor
from .listening import ListenError, host_and_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from .status import RichStatus

_OPTIONS: Final = (
    # Clients ping every 20 s (channel.py); without these the server would call that abuse.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # Two servers on one port would each get half of the calls.
    ("grpc.so_reuseport", 0),
)
# What is still running when a server stops has been told before: this is only for the last words.
_STOP_GRACE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A servicer that is ready to be added: its full name, and how it is added."""

    name: str
    add: Callable[[grpc.aio.Server], None]


class RunningServer:
    """A server that answers. `address` is HOST:PORT with the port it really has."""

    def __init__(self, address: str, names: Sequence[str], servicer: health.aio.HealthServicer):
        self.address = address
        self._names = names
        self._health = servicer

    async def say_serving(self) -> None:
        await self._say(health_pb2.HealthCheckResponse.SERVING)

    async def say_not_serving(self) -> None:
        """Tell health watchers that nothing new is taken; what runs goes on."""
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def _say(self, status: int) -> None:
        for name in ("", *self._names):
            await self._health.set(name, status)


@asynccontextmanager
async def open_server(
    listen: str,
    services: Sequence[Service],
    *,
    status_of: Callable[[Exception], RichStatus | None],
    is_ready: bool = True,
) -> AsyncGenerator[RunningServer]:
    """Serve on HOST:PORT (port 0: any free one) until the block ends.

    Its health says SERVING once it `is_ready`; that of the health service itself says so from the
    beginning to the end: it is for those who ask whether the process lives.

    Raises:
        ListenError: the address cannot be used.

    """
    interceptor = CallInterceptor(status_of)
    server = grpc.aio.server(interceptors=[interceptor], options=_OPTIONS)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    for service in services:
        service.add(server)
    names = [service.name for service in services]
    own = (health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection([*names, *own], server)
    address = _bind(server, listen)
    running = RunningServer(address, names, servicer)
    await servicer.set(health.SERVICE_NAME, health_pb2.HealthCheckResponse.SERVING)
    await (running.say_serving() if is_ready else running.say_not_serving())
    await server.start()
    try:
        yield running
    finally:
        await server.stop(_STOP_GRACE_S)
        await interceptor.wait_idle()


def _bind(server: grpc.aio.Server, listen: str) -> str:
    host, _ = host_and_port(listen)
    try:
        bound = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise ListenError(
            f"cannot listen on {listen}: is something else listening there, or is the address "
            "not this machine's? Port 0 takes any free port."
        ) from error
    return f"{host}:{bound}"
