"""`framefarm …` in a process whose wall clock is wrong, by the seconds that stand in a file.

`wrong_clock.py FILE …`: FILE holds a double, and whoever writes it sets the clock. Monotonic clocks
are right, as on a machine whose clock is set. Only what Python tells of the time of day is wrong;
so gRPC, which hands moments of it to its core in C, has a right one.
"""

from __future__ import annotations

import datetime as dt
import mmap
import runpy
import struct
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc.aio  # noqa: F401  # to be there before the clock goes wrong

_RIGHT = b"\0" * 8


def set_clock(file: Path, off_by_s: float) -> None:
    """Set the clock of the process that has the file, or will have it."""
    if not file.exists():
        file.write_bytes(_RIGHT)
    with file.open("r+b") as told:
        told.write(struct.pack("d", off_by_s))


def _go_wrong(file: Path) -> None:
    with file.open("rb") as opened:
        told = mmap.mmap(opened.fileno(), len(_RIGHT), access=mmap.ACCESS_READ)
    right = SimpleNamespace(**vars(time))
    for name, module in list(sys.modules.items()):
        if name.startswith("grpc") and getattr(module, "time", None) is time:
            vars(module)["time"] = right
    right_s, right_ns, right_date = time.time, time.time_ns, dt.datetime

    def off_by_s() -> float:
        return float(struct.unpack("d", told[:])[0])

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, right_date)

    class Wrong(dt.datetime, metaclass=Meta):
        """What it makes are true datetimes."""

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return right_date(*args, **kwargs)

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return right_date.fromtimestamp(time.time(), tz)

    time.time = lambda: right_s() + off_by_s()
    time.time_ns = lambda: right_ns() + int(off_by_s() * 1e9)
    dt.datetime = Wrong  # type: ignore[misc]  # that is the point


if __name__ == "__main__":
    _go_wrong(Path(sys.argv.pop(1)))
    runpy.run_module("framefarm", run_name="__main__", alter_sys=True)
