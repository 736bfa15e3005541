"""Patience: how long a coordinator that was there, and is not now, is waited for."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import grpc

from renderer.errors import Violation
from serving import status

from .errors import CallFailedError, FarmError, FarmUnreachableError, RequestRefusedError

if TYPE_CHECKING:
    import grpc.aio

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0


class Patience:
    """Bears with a lost connection until nothing has come for `limit_s`."""

    def __init__(self, address: str, limit_s: float) -> None:
        self._address = address
        self._limit_s = limit_s
        self.renew()

    def renew(self) -> None:
        """Something came: the time starts again."""
        self._since_s = time.monotonic()
        self._pause_s = FIRST_PAUSE_S

    async def bear(self, error: grpc.aio.AioRpcError) -> None:
        """Pause, if the connection was lost and may come back.

        Raises:
            FarmError: it is not a lost connection, or it has been lost for too long.

        """
        waited_s = time.monotonic() - self._since_s
        if not was_lost(error) or waited_s >= self._limit_s:
            raise to_farm_error(self._address, error) from error
        await asyncio.sleep(min(self._pause_s, self._limit_s - waited_s))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def was_lost(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether the connection was at fault, and not the request."""
    code = error.code()
    # A server that stops cancels the streams it still has, and a connection that breaks under a
    # write is INTERNAL to the gRPC library: neither comes with a reason of ours.
    return code is grpc.StatusCode.UNAVAILABLE or (
        code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)
        and not status.read(error).reason
    )


def to_farm_error(address: str, error: grpc.aio.AioRpcError) -> FarmError:
    """What a status means to a user."""
    said = status.read(error)
    if was_lost(error) and not said.reason:
        return FarmUnreachableError(address, said.message)
    if said.code is grpc.StatusCode.INVALID_ARGUMENT:
        violations = (Violation(field, problem) for field, problem in said.violations)
        return RequestRefusedError(said.message, violations)
    return CallFailedError(said.message, status=said.code.name, reason=said.reason)
