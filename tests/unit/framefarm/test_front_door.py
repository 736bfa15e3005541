"""`import framefarm`: what it offers, and that it costs little."""

from __future__ import annotations

import subprocess
import sys

import pytest

import framefarm


def test_every_name_it_offers_is_there_and_is_called_so() -> None:
    aliases = {"ChunkEvent", "OnProgress"}
    for name in framefarm.__all__:
        found = getattr(framefarm, name)
        assert name in aliases or found.__name__ == name


def test_its_names_are_sorted_and_each_has_one_home() -> None:
    assert framefarm.__all__ == sorted(framefarm.__all__)
    assert framefarm._HOME_OF.keys() == set(framefarm.__all__)
    assert sum(map(len, framefarm._HOMES.values())) == len(framefarm.__all__)


def test_a_name_it_does_not_offer_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'rendr'"):
        framefarm.rendr  # noqa: B018  # the look-up is the test


def test_render_is_the_function_whatever_was_imported_before() -> None:
    import framefarm.rendering

    assert framefarm.render is framefarm.rendering.render


def test_neither_importing_it_nor_writing_an_executor_brings_in_heavy_packages() -> None:
    heavy = {"grpc", "playwright", "sqlalchemy", "aiohttp", "rich", "typer"}
    program = (
        "import sys; import framefarm; "
        "from framefarm import RenderExecutor, ChunkTask, ChunkResult, ExecutorError; "
        f"print(sorted({heavy!r} & sys.modules.keys()))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout

    assert printed.strip() == "[]"
