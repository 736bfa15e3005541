"""What a program has imported is left alone by Python's collector of garbage."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from serving.standing import imports_stand


@pytest.fixture(autouse=True)
def thawed() -> Generator[None]:
    yield
    gc.unfreeze()


def test_nothing_is_collected_while_it_imports_and_what_is_there_then_stands() -> None:
    with imports_stand():
        assert not gc.isenabled()
        kept: list[dict[str, int]] = [{} for _ in range(100)]

    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), imports_stand():
        raise ImportError("no such module")

    assert gc.isenabled()
