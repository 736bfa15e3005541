from __future__ import annotations

import json
from typing import Any

import pytest

from renderer.cdp import CdpSession
from renderer.clock import ZERO_GRID_US, VirtualTime, preload_script
from renderer.settings import DEFAULT_EPOCH_MS, RenderSettings


class FakeConnection:
    """A browser whose clock does as it is told, and may hang at the network."""

    def __init__(self, base_ms: float, *, hangs: bool = False) -> None:
        self.base_ms = base_ms
        self.budgets_ms: list[float] = []
        self._hangs = hangs

    async def send(self, session: CdpSession, method: str, params: dict[str, Any]) -> Any:
        assert method == "Emulation.setVirtualTimePolicy"
        if params["policy"] == "pause":
            return {"virtualTimeTicksBase": self.base_ms}
        self.budgets_ms.append(params["budget"])
        if not self._hangs:
            session.take("Emulation.virtualTimeBudgetExpired", {})
        return {}


def a_clock(connection: FakeConnection) -> VirtualTime:
    return VirtualTime(CdpSession(connection, "1"))  # type: ignore[arg-type]


async def test_time_starts_on_blinks_grid() -> None:
    connection = FakeConnection(2_096_660.427)
    clock = a_clock(connection)

    await clock.start(DEFAULT_EPOCH_MS)

    assert clock.now_us == 0
    assert clock.ticks_ms == pytest.approx(2_096_660.5003, abs=1e-6)
    assert connection.budgets_ms == pytest.approx([0.0733])


async def test_budgets_lie_above_whats_truncated() -> None:
    connection = FakeConnection(1000.0)
    clock = a_clock(connection)
    await clock.start(DEFAULT_EPOCH_MS)

    await clock.advance_to(33_400, timeout_s=1)
    await clock.advance_to(66_700, timeout_s=1)
    await clock.advance_to(66_700, timeout_s=1)

    assert connection.budgets_ms == pytest.approx([33.4003, 33.3003])
    assert clock.now_us == 66_700


async def test_a_breath_takes_no_time() -> None:
    connection = FakeConnection(1000.0)
    clock = a_clock(connection)
    await clock.start(DEFAULT_EPOCH_MS)

    await clock.advance_to(33_400, timeout_s=1)
    await clock.breathe(timeout_s=1)
    await clock.advance_to(66_700, timeout_s=1)

    assert connection.budgets_ms == pytest.approx([33.4003, 0.0003, 33.3003])
    assert clock.now_us == 66_700


async def test_time_that_is_held_up_is_a_timeout_and_does_not_count() -> None:
    clock = a_clock(FakeConnection(1000.0, hangs=True))
    await clock.start(DEFAULT_EPOCH_MS)

    with pytest.raises(TimeoutError):
        await clock.advance_to(33_400, timeout_s=0.01)

    assert clock.now_us == 0


@pytest.mark.parametrize(
    ("ready_us", "zero_us"),
    [(0, 1), (8_000, 1), (ZERO_GRID_US, 1), (ZERO_GRID_US + 100, 2), (5 * ZERO_GRID_US, 5)],
)
async def test_zero_is_at_a_fixed_time_however_long_the_load_took(
    ready_us: int, zero_us: int
) -> None:
    clock = a_clock(FakeConnection(1000.0))
    await clock.start(DEFAULT_EPOCH_MS)
    await clock.advance_to(ready_us, timeout_s=1)

    assert clock.next_zero_us == zero_us * ZERO_GRID_US


def test_the_page_half_is_called_with_its_options() -> None:
    settings = RenderSettings(epoch_ms=5)

    script = preload_script(settings)

    options = json.loads(script[script.index("})({") + 3 : script.index("});\n(() =>") + 1])
    assert options == {"epochMs": 5}
