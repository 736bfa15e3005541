"""What a worker is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renderer.errors import InvalidRequestError, Violation
from renderer.keeping import WarmLimits
from renderer.sandbox import Sandbox

from .attempt import DETACH_S

if TYPE_CHECKING:
    from .cgroup import Limits

_WARM: Final = WarmLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker runs. `listen` with port 0 takes a free port and says which on stdout.

    `data_dir` holds the bundles it was sent; chunk files stand in the system's temporary folder
    until they are sent. Without `slots` it has as many as its CPUs and memory can serve. With
    `until_stdin_closes` the worker ends when its standard input does, so that it cannot outlive
    whoever started it.

    Bundles of jobs that do not run make room for others above `bundle_bytes`, by default a tenth of
    their disk. With `scratch_bytes`, a chunk may have half of its slot's share of them, for the one
    before it may be there still; else what the disk has.

    An attempt whose caller has gone, or reads nothing, stops after `detach_s`.

    Each slot keeps a browser, and the page in it: see `WarmLimits`. `browser_memory` is the share
    of the worker's memory that the browsers of all slots may hold between chunks.

    Raises:
        InvalidRequestError: with every setting that cannot be.

    """

    listen: str = "127.0.0.1:50051"
    slots: int | None = None
    data_dir: Path
    name: str = ""
    drain_timeout_s: float = 300.0
    detach_s: float = DETACH_S
    bundle_bytes: int | None = None
    scratch_bytes: int | None = None
    sandbox: Sandbox = Sandbox.AUTO
    until_stdin_closes: bool = False
    frame_timeout_s: float = 30.0
    page_idle_s: float = _WARM.page_idle_s
    browser_idle_s: float = _WARM.browser_idle_s
    browser_frames: int = _WARM.browser_frames
    browser_chunks: int = _WARM.browser_chunks
    browser_memory: float = 0.5

    def __post_init__(self) -> None:
        wrong = []
        if self.slots is not None and self.slots < 1:
            wrong.append(Violation("slots", f"{self.slots} is no number of slots; use 1 or more"))
        if self.frame_timeout_s <= 0:
            problem = f"{self.frame_timeout_s:g} s is no time to draw in; use some seconds"
            wrong.append(Violation("frame_timeout", problem))
        if self.detach_s <= 0:
            problem = f"{self.detach_s:g} s is no time to read in; use some seconds, like 30s"
            wrong.append(Violation("detach", problem))
        if not 0 < self.browser_memory <= 1:
            problem = f"{self.browser_memory:g} is no share; use one in 0…1, like 0.5"
            wrong.append(Violation("browser_memory", problem))
        sizes = {"bundle_cache": self.bundle_bytes, "scratch": self.scratch_bytes}
        for name, size in sizes.items():
            if size is not None and size < 1:
                wrong.append(Violation(name, f"{size} bytes hold nothing; use some, like 500MiB"))
        if wrong:
            raise InvalidRequestError(wrong)

    def warm_limits(self, slots: int, limits: Limits) -> WarmLimits:
        """What may be kept on a machine with these limits."""
        return WarmLimits(
            browsers=slots,
            page_idle_s=self.page_idle_s,
            browser_idle_s=self.browser_idle_s,
            browser_frames=self.browser_frames,
            browser_chunks=self.browser_chunks,
            browser_bytes=int(limits.memory_bytes * self.browser_memory / slots),
        )
