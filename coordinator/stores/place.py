"""Where jobs are kept, and how that is opened. What speaks to databases is imported for one."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .memory import Memory, MemoryJobStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from .base import JobStore
    from .postgresql import LeaderLock

MEMORY: Final = "memory:"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlace:
    """A store that can be opened. There is to be room for it in `folder`.

    Of who leads, only a store that several processes can open has a lock.
    """

    folder: Path
    open_store: Callable[[], AbstractAsyncContextManager[JobStore]]
    open_lock: Callable[[], AbstractAsyncContextManager[LeaderLock | None]]


def store_place(text: str, data_dir: Path, *, patience_s: float) -> StorePlace:
    """Read what a store is called: `MEMORY`, or as `opening.store_url` reads it.

    Raises:
        ValueError: it names no store.

    """
    if text == MEMORY:
        memory = Memory()
        return StorePlace(
            folder=data_dir,
            open_store=lambda: nullcontext(MemoryJobStore(memory)),
            open_lock=nullcontext,
        )
    from .opening import open_lock, open_store, store_url

    url = store_url(text, data_dir)
    return StorePlace(
        folder=Path(url.database or "").absolute().parent,
        open_store=partial(open_store, url, patience_s=patience_s),
        open_lock=partial(open_lock, url),
    )
