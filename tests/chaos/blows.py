"""Blower: deals blows to a farm."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from tests.support.tcp_proxy import TcpProxy

from .farm import Farm, Service
from .plans import COORDINATOR, Blow, Deed
from .wrong_clock import set_clock

LATENCY_S = 0.2
HOUR_S = 3600.0


class Blower:
    """Deals one blow to a target at a time; `dealt` tells those that met it."""

    def __init__(self, farm: Farm, dealt: list[Blow]) -> None:
        self._farm = farm
        self._dealt = dealt
        self._suffering = set[int]()

    async def deal(self, blow: Blow, is_over: asyncio.Event) -> None:
        """Return when the target is well again, at the latest soon after the end of it all."""
        if blow.target in self._suffering:
            return
        self._suffering.add(blow.target)
        self._dealt.append(blow)
        try:
            await self._deal(blow, is_over)
        finally:
            self._suffering.discard(blow.target)

    async def _deal(self, blow: Blow, is_over: asyncio.Event) -> None:
        service = self._service(blow.target)
        match blow.deed:
            case Deed.KILL:
                await service.kill()
                await service.start()
            case Deed.FREEZE:
                service.signal(signal.SIGSTOP)
                await _lasting(blow, is_over)
                service.signal(signal.SIGCONT)
            case Deed.SET_CLOCK:
                assert service.clock is not None
                for off_by_s in (HOUR_S, -HOUR_S, 0):
                    set_clock(service.clock, off_by_s)
                    await _lasting(blow, is_over)
            case Deed.UNPLUG:
                assert self._farm.cable is not None
                self._farm.cable.is_cut = True
                await _lasting(blow, is_over)
                self._farm.cable.is_cut = False
            case _:
                await _hurt(self._farm.wires[blow.target], blow, is_over)

    def _service(self, target: int) -> Service:
        return self._farm.coordinator if target == COORDINATOR else self._farm.workers[target]


async def _hurt(wire: TcpProxy, blow: Blow, is_over: asyncio.Event) -> None:
    match blow.deed:
        case Deed.RESET:
            wire.cut()
            await _lasting(blow, is_over)
            wire.mend()
        case Deed.STALL:
            wire.hold()
            await _lasting(blow, is_over)
            wire.release()
        case _:
            assert blow.deed is Deed.DELAY
            wire.delay_s = LATENCY_S
            await _lasting(blow, is_over)
            wire.delay_s = 0.0


async def _lasting(blow: Blow, is_over: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(is_over.wait(), blow.lasts_s)
