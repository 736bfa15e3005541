"""One renderer for a module's tests; each render has a browser of its own anyway."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.support.pages import Crew, open_crew


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crew(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crew]:
    async with open_crew(tmp_path_factory.mktemp("crew"), frame_timeout_s=3.0) as crew:
        yield crew
