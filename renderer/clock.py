"""Virtual time: the browser's clocks stand still, and go on only when and as far as they are told.

All times are whole µs since the session's start and lie on the 100 µs grid of `renderer.frames`.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from .cdp import CALL_TIMEOUT_S
from .frames import GRID_US

if TYPE_CHECKING:
    from .cdp import CdpSession
    from .settings import RenderSettings

# Time zero stands at a fixed point of virtual time, however long the load took: workers and other
# clocks out of reach of clock.js then read the same in every run. A load takes 0.05 s as a rule.
ZERO_GRID_US: Final = 500_000

# Chromium truncates ticks to whole µs, and a double may lie just below one.
_ABOVE_TRUNCATION_US: Final = 0.3


def clock_script(settings: RenderSettings) -> str:
    """Return the script that takes over the clocks of a document, before its own scripts run."""
    return f"({_page_half('clock', '(options)')})({json.dumps({'epochMs': settings.epoch_ms})})"


def animations_script() -> str:
    """Return the script to run in every document after the clock's, before its own."""
    return f"({_page_half('animations', '() =>')})()"


def preload_script(settings: RenderSettings) -> str:
    """Return both in one."""
    return f"{clock_script(settings)};\n{animations_script()};"


@cache
def _page_half(name: str, head: str) -> str:
    text = files("renderer").joinpath(f"{name}.js").read_text(encoding="utf-8")
    return text[text.index(head) :].rstrip()


class VirtualTime:
    """The virtual clock of one target."""

    def __init__(self, session: CdpSession, head_start_us: int = 0) -> None:
        self._session = session
        self._head_start_us = head_start_us
        self._expired: asyncio.Future[dict[str, Any]] | None = None
        self._base_us = 0
        self.now_us = 0
        session.on("Emulation.virtualTimeBudgetExpired", self._on_expired)

    async def start(self, epoch_ms: int) -> None:
        """Stop the browser's clocks, at a point of the grid. To be called on an empty page.

        Time zero will be `epoch_ms` after 1970.
        """
        before_ms = (ZERO_GRID_US + self._head_start_us) / 1000
        start_s = max(1.0, (epoch_ms - before_ms) / 1000)  # 0 would mean: none
        reply = await self._session.call(
            "Emulation.setVirtualTimePolicy", {"policy": "pause", "initialVirtualTime": start_s}
        )
        self._base_us = round(reply["virtualTimeTicksBase"] * 1000)
        # performance.now() has its grid on the browser's own ticks, animations have theirs on the
        # document's start: both are one when the document starts on the first.
        first_us = self._head_start_us - self._base_us % -GRID_US
        await self.advance_to(first_us, timeout_s=CALL_TIMEOUT_S)
        self._base_us += self.now_us
        self.now_us = 0

    @property
    def next_zero_us(self) -> int:
        """When time zero is, for a page that is ready now."""
        return max(1, -(-self.now_us // ZERO_GRID_US)) * ZERO_GRID_US

    @property
    def ticks_ms(self) -> float:
        """What a BeginFrame of this moment bears."""
        return (self._base_us + self.now_us + _ABOVE_TRUNCATION_US) / 1000

    async def advance_to(self, us: int, *, timeout_s: float) -> None:
        """Let time pass until `us`: timers fire, and time waits for the network.

        Raises:
            TimeoutError: the network, or an endless script, held time up.
            FrameStalledError: the browser does not answer.

        """
        if us <= self.now_us:
            return
        await self._spend(us - self.now_us, "pauseIfNetworkFetchesPending", timeout_s)
        self.now_us = us

    async def breathe(self, *, timeout_s: float) -> None:
        """Let the page take its messages and run what is due now: no time passes.

        Raises:
            TimeoutError: a script held it up.

        """
        await self._spend(0, "advance", timeout_s)

    async def _spend(self, us: int, policy: str, timeout_s: float) -> None:
        budget_ms = (us + _ABOVE_TRUNCATION_US) / 1000
        self._expired = expired = self._session.expect()
        try:
            await self._session.call(
                "Emulation.setVirtualTimePolicy",
                {"policy": policy, "budget": budget_ms},
                timeout_s=timeout_s,
            )
            async with asyncio.timeout(timeout_s):
                await expired
        finally:
            self._session.forget(expired)

    def _on_expired(self, _: dict[str, Any]) -> None:
        if self._expired is not None and not self._expired.done():
            self._expired.set_result({})
