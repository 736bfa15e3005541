"""One renderer for a module's tests. Each render has a fresh page, in a browser that is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from renderer.keeping import WarmLimits
from tests.support.pages import Crew, open_crew


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crew(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crew]:
    folder = tmp_path_factory.mktemp("crew")
    limits = WarmLimits(browsers=1)
    async with open_crew(folder, frame_timeout_s=3.0, limits=limits) as crew:
        yield crew


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cold(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crew]:
    """A crew that keeps nothing: each render starts a browser, and ends it."""
    async with open_crew(tmp_path_factory.mktemp("cold"), frame_timeout_s=3.0) as crew:
        yield crew
