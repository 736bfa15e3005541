"""Patience: how long a coordinator is waited for that is away, or that says: not now.

gRPC's own retries know neither RetryInfo nor more than five attempts, and none for a stream that
has begun.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import grpc

from renderer.errors import Violation
from serving import status
from serving.channel import names_several

from .errors import CallFailedError, FarmError, FarmUnreachableError, RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc.aio

    from serving.status import RichStatus

log = logging.getLogger(__name__)

PATIENCE_S: Final = 60.0
WAIT_S: Final = 600.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
_STANDBY: Final = "STANDBY"
# Never sooner than told; and those who were told together do not come together.
_JITTER: Final = 0.5


def log_wait(message: str) -> None:
    log.warning("the farm has us wait", extra={"why": message})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long to wait: for a connection that was lost, and for a farm that says when to come.

    `on_wait` is told, once for each reason, why and how long.
    """

    lost_s: float = PATIENCE_S
    told_s: float = WAIT_S
    on_wait: Callable[[str], None] = log_wait
    rng: random.Random = field(default_factory=random.Random)

    def pause_s(self, *, told_s: float, left_s: float) -> float:
        """How long to wait for a farm that has told how long."""
        return min(left_s, told_s * self.rng.uniform(1.0, 1.0 + _JITTER))


class Patience:
    """Bears with one call's errors, until nothing has come for as long as `waiting` allows.

    A connection that is lost before anything came is borne for `lost_s`.
    """

    def __init__(self, address: str, waiting: Waiting, *, lost_s: float) -> None:
        self._address = address
        self._waiting = waiting
        self._lost_s = lost_s
        self.renew()

    def renew(self) -> None:
        """Something came: the time starts again."""
        self._since_s = time.monotonic()
        self._pause_s = FIRST_PAUSE_S
        self._told_since_s: float | None = None
        self._said = set[str]()
        self._has_turned = False

    async def bear(self, error: grpc.aio.AioRpcError) -> None:
        """Pause, if the same may be asked again.

        Raises:
            FarmError: it may not, or it has been borne for too long.

        """
        said = status.read(error)
        if said.reason == _STANDBY and names_several(self._address) and not self._has_turned:
            self._has_turned = True  # the next call goes to another one, which may lead
            await asyncio.sleep(FIRST_PAUSE_S)
            return
        if said.retry_after_s is not None:
            await self._wait_as_told(error, said, said.retry_after_s)
            return
        waited_s = time.monotonic() - self._since_s
        if not was_lost(error) or waited_s >= self._lost_s:
            raise to_farm_error(self._address, error) from error
        await asyncio.sleep(min(self._pause_s, self._lost_s - waited_s))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    async def _wait_as_told(
        self, error: grpc.aio.AioRpcError, said: RichStatus, told_s: float
    ) -> None:
        now_s = time.monotonic()
        if self._told_since_s is None:
            self._told_since_s = now_s
        left_s = self._told_since_s + self._waiting.told_s - now_s
        if left_s <= 0:
            raise to_farm_error(self._address, error) from error
        pause_s = self._waiting.pause_s(told_s=told_s, left_s=left_s)
        if said.reason not in self._said:
            self._said.add(said.reason)
            self._waiting.on_wait(
                f"{said.message} ({said.reason}); asking again, for up to {_words(left_s)}"
            )
        await asyncio.sleep(pause_s)
        # It is there: should it go now, that begins now.
        self._since_s, self._lost_s = time.monotonic(), self._waiting.lost_s


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


def _words(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
