"""Calls: how a coordinator is asked, again and again if need be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import grpc.aio

from .errors import CallFailedError, NoSuchJobError
from .patience import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from .patience import Waiting

T = TypeVar("T")


class Calls:
    """All calls to one coordinator. `answered`: it has been there."""

    def __init__(self, address: str, waiting: Waiting) -> None:
        self._address = address
        self._waiting = waiting
        self.answered = False

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that is safe to repeat."""
        patience = self.patience()
        while True:
            try:
                answer = await call()
            except grpc.aio.AioRpcError as error:
                await patience.bear(error)
            else:
                self.answered = True
                return answer

    def patience(self) -> Patience:
        # An address that never answered is most likely wrong: say so at once.
        lost_s = self._waiting.lost_s if self.answered else 0.0
        return Patience(self._address, self._waiting, lost_s=lost_s)


@contextmanager
def naming(job_id: str) -> Generator[None]:
    """Name the job that is not known."""
    try:
        yield
    except CallFailedError as error:
        if error.reason == "JOB_NOT_FOUND":
            raise NoSuchJobError(job_id) from error
        raise
