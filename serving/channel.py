"""Channels: how every client of ours dials."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import grpc.aio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# A vanished machine is noticed within 30 s; the server (server.py) allows pings this often.
KEEPALIVE_TIME_MS: Final = 20_000
KEEPALIVE_TIMEOUT_MS: Final = 10_000

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Keepalive waits for any ping that is on its way, and those beside data have a minute.
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    # Channels to one address share a connection unless told not to; a worker that comes back at
    # the same address must not inherit the old connection's back-off.
    ("grpc.use_local_subchannel_pool", 1),
    # The time that an attempt to connect has, for all its name: a busy server may need a while to
    # answer. One that is refused is made again after the next two.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
_IN_TURN: Final = ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}')


def names_several(address: str) -> bool:
    """Whether it names several servers, as `ipv4:HOST:PORT,HOST:PORT` does."""
    return "," in address


def new_channel(address: str) -> grpc.aio.Channel:
    """Dial HOST:PORT in the clear; connecting happens with the first call. The caller closes it.

    Of several servers each call goes to the next. gRPC would else stay with the first one that it
    reaches, though that stand by and another lead.
    """
    options = (*_OPTIONS, _IN_TURN) if names_several(address) else _OPTIONS
    return grpc.aio.insecure_channel(address, options=options)


@asynccontextmanager
async def open_channel(address: str) -> AsyncGenerator[grpc.aio.Channel]:
    """Dial HOST:PORT for the block."""
    channel = new_channel(address)
    try:
        yield channel
    finally:
        await channel.close()
