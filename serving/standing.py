"""Imports that stand: what a program has brought in stays, so nobody looks for garbage in it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def imports_stand() -> Generator[None]:
    """Let the block import, and have all that is there then for as long as the process lives.

    Python's collector looks through new objects time and again while there are more of them, and
    through all of them when the process ends: a third of what a client's imports took.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
