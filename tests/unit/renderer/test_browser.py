from __future__ import annotations

import os
import subprocess
import sys

import pytest

from renderer.sandbox import Sandbox, sandbox_is_on


@pytest.mark.parametrize(("sandbox", "is_on"), [(Sandbox.ON, True), (Sandbox.OFF, False)])
async def test_the_sandbox_is_as_it_was_ordered(sandbox: Sandbox, is_on: bool) -> None:
    assert await sandbox_is_on(sandbox) is is_on


async def test_root_has_no_sandbox_unless_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)

    assert not await sandbox_is_on(Sandbox.AUTO)


OPEN = """
import asyncio
from renderer.browser import open_playwright

async def main():
    async with open_playwright():
        pass

asyncio.run(main())
"""


@pytest.mark.parametrize("node", ["/bin/false", "/no/such/node"])
def test_a_driver_that_does_not_start_is_a_missing_tool(node: str) -> None:
    # In a process of its own: Playwright leaves streams open when its driver dies.
    environment = os.environ | {"PLAYWRIGHT_NODEJS_PATH": node}

    outcome = subprocess.run(
        [sys.executable, "-c", OPEN], env=environment, capture_output=True, text=True, check=False
    )

    assert "MissingToolError: Playwright's driver does not start" in outcome.stderr
    assert "libatomic1" in outcome.stderr
