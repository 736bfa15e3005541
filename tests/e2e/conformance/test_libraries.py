"""Animation libraries, unchanged, have their value in every frame; one alone is the same."""

from __future__ import annotations

import pytest

from tests.support.conformance import (
    CONFORMANCE_PAGES,
    Belief,
    assert_bars,
    assert_rows,
    film_page,
)
from tests.support.npm import LIBRARIES, library
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = dict(zip(LIBRARIES, ("24", "25", "30000/1001", "30", "50", "60"), strict=True))

# GSAP counts by Date, in whole milliseconds. Pixi's `lastTime` is the frame before.
VALUES: dict[str, Belief] = dict.fromkeys(LIBRARIES, lambda at: at.tenths) | {
    "gsap": lambda at: 10 * at.date_ms
}


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_library_is_exact(crew: Crew, name: str) -> None:
    files = {f"{name}.js": library(name)}
    rate = RATES[name]
    files |= {"index.html": _page(name)}
    beliefs = {"value": VALUES[name]}
    bar: dict[str, Belief] = {"bar": lambda at: 0.2 * at.ms}

    whole = await film_page(crew, files, (0, 40), rate=rate, rows=4)
    chunk = await film_page(crew, files, (17, 40), rate=rate, rows=4)
    alone = await film_page(crew, files, (39, 40), rate=rate, rows=4)

    assert_rows(whole, (0, 40), rate, beliefs)
    assert_bars(whole, (0, 40), rate, 2, bar)
    assert chunk.pictures == whole.pictures[17:]
    assert alone.pictures == whole.pictures[39:]


def _page(name: str) -> bytes:
    return (CONFORMANCE_PAGES / f"{name}.html").read_bytes()
