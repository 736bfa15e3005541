"""The same page is the same film, bit for bit, on a busy machine and however it is cut."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = 56
CHUNKS = 7
BUSY_PROCESSES = 3


def work_for_nothing() -> None:
    while True:
        sum(range(10_000))


@contextmanager
def a_busy_machine() -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=work_for_nothing, daemon=True) for _ in range(BUSY_PROCESSES)
    ]
    try:
        for process in processes:
            process.start()
        yield
        assert all(process.is_alive() for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.join()


@pytest.mark.parametrize("page", ["state.html", "webgl.html", "counter-css.html"])
async def test_a_busy_machine_and_seven_chunks_change_nothing(crew: Crew, page: str) -> None:
    whole = await crew.film(page, (0, FRAMES), **LOSSLESS)

    with a_busy_machine():
        again = await crew.film(page, (0, FRAMES), **LOSSLESS)
        cuts = [FRAMES * cut // CHUNKS for cut in range(CHUNKS + 1)]
        pieces = [
            await crew.film(page, (start, stop), **LOSSLESS) for start, stop in pairwise(cuts)
        ]

    assert len(set(whole.pictures)) >= FRAMES // 2
    assert again.pictures == whole.pictures
    assert [picture for piece in pieces for picture in piece.pictures] == whole.pictures
