"""The images are built once; each test that does harm has a farm of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from testcontainers.core.config import testcontainers_config

from .farm import Farm, running_farm
from .images import build_images, require_engine, sweep
from .jobs import Video, render_on

if TYPE_CHECKING:
    from collections.abc import Generator

# The reaper's image comes from a registry; images.sweep() does its work.
testcontainers_config.ryuk_disabled = True

PAGES: Final = Path(__file__).parents[1] / "e2e" / "pages"
# The first test of a session waits until the images are built, without any cache at the worst.
TIMEOUT_S: Final = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def images() -> None:
    require_engine()
    sweep()
    build_images()


@pytest.fixture(scope="session")
def farm(images: None) -> Generator[Farm]:
    """For tests that leave it as it was."""
    with running_farm(pages=PAGES) as running:
        yield running


@pytest.fixture
def own_farm(images: None) -> Generator[Farm]:
    """For tests that break something."""
    with running_farm(pages=PAGES) as running:
        yield running


@pytest.fixture
def cold_farm(images: None) -> Generator[Farm]:
    """For tests that look whether anything runs: no browser stands by without a chunk."""
    with running_farm(pages=PAGES, browser_idle="0s") as running:
        yield running


@pytest.fixture(scope="session")
def pages() -> Path:
    return PAGES


@pytest.fixture(scope="session")
def undisturbed(farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> Video:
    """What the counting page becomes when nothing goes wrong."""
    return asyncio.run(render_on(farm, PAGES, tmp_path_factory.mktemp("undisturbed") / "a.mp4"))
