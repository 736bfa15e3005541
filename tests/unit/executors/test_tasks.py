"""Tasks outside of any group: what fails while its caller is cancelled is looked at, too."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from coordinator.pausing import pausable
from executors.base import RenderExecutor
from executors.errors import RenderCrashedError
from executors.worker_call import WorkerCall
from tests.support.tasks import a_task

OUTPUT = Path("never-written")
Caller = Callable[["Failing"], Coroutine[Any, Any, object]]


class Failing:
    """Work that fails, in the step in which whoever has called for it is cancelled, if so."""

    def __init__(self, *, cancels: bool) -> None:
        self._cancels = cancels
        self.caller: asyncio.Task[object] | None = None

    async def work(self) -> None:
        await asyncio.sleep(0)
        if self._cancels and self.caller is not None:
            self.caller.cancel()
        raise RenderCrashedError("Chromium is gone")

    async def render(self, *_: object, **__: object) -> None:
        await self.work()

    async def write(self, _: object) -> None:
        """Of a call, which has ended when it fails."""

    def done(self) -> bool:
        return True

    def cancel(self) -> None:
        """There is nothing left of it."""


class Call(WorkerCall[None]):
    def _open(self, stub: Any) -> Any:
        return stub

    async def _take(self, call: Any) -> None:
        await call.work()


async def call_a_worker(failing: Failing) -> None:
    await Call(a_task(), worker="w", on_progress=lambda _: None).run(cast("Any", failing))


async def render_gated(failing: Failing) -> None:
    executor = pausable(cast("RenderExecutor", failing))
    await executor.render(a_task(), OUTPUT, on_progress=lambda _: None)


CALLERS = pytest.mark.parametrize("caller", [call_a_worker, render_gated])


@CALLERS
async def test_an_error_that_meets_a_cancel_is_not_left_to_the_event_loop(caller: Caller) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    assert await _is_cancelled(caller)
    gc.collect()  # which is when the event loop complains

    assert complaints == []


@CALLERS
async def test_an_error_is_heard_by_whoever_called(caller: Caller) -> None:
    with pytest.raises(RenderCrashedError, match="Chromium is gone"):
        await caller(Failing(cancels=False))


async def _is_cancelled(caller: Caller) -> bool:
    failing = Failing(cancels=True)
    failing.caller = asyncio.create_task(caller(failing))
    await asyncio.wait([failing.caller])
    return failing.caller.cancelled()
