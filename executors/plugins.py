"""Executors by name. A package that names one under the entry point group `framefarm.executors`
is a plug-in: `framefarm coordinator --executor NAME` uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, cast

from .base import RenderExecutor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renderer.bundle import BundleStore

    from .uploads import ChunkUploads

GROUP: Final = "framefarm.executors"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorContext:
    """What an executor may use where it is opened.

    `bundles` holds the compositions of all jobs. `workers` and `worker_wait_s` are the user's
    words on the fleet, for executors that have one; `slots` says how many chunks to render at once,
    for those that render here. `term` counts the coordinators that have led (`ChunkTask`), and
    `user_slots` limits the chunks of one user's jobs that run at once. `uploads` is where workers
    may bring chunk files themselves.
    """

    bundles: BundleStore
    environment: Mapping[str, str]
    workers: tuple[str, ...] = ()
    worker_wait_s: float = 300.0
    slots: int = 1
    term: int = 0
    uploads: ChunkUploads | None = None
    user_slots: int | None = None


OpenExecutor = Callable[[ExecutorContext], AbstractAsyncContextManager[RenderExecutor]]


class UnknownExecutorError(ValueError):
    """No installed package brings an executor of this name."""


def executor_named(name: str) -> OpenExecutor:
    """What opens the executor of this name.

    Raises:
        UnknownExecutorError: with the names there are.

    """
    known = entry_points(group=GROUP)
    if name not in known.names:
        names = ", ".join(sorted(known.names))
        raise UnknownExecutorError(f"no executor is called {name!r}; there are: {names}")
    return cast("OpenExecutor", known[name].load())
