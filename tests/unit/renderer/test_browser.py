from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from renderer.browser import LaunchOptions, open_browser
from renderer.errors import BrowserLostError
from renderer.profile import make_profile, remove_profile, sweep_profiles
from renderer.sandbox import Sandbox, sandbox_is_on


@pytest.mark.parametrize(("sandbox", "is_on"), [(Sandbox.ON, True), (Sandbox.OFF, False)])
async def test_the_sandbox_is_as_it_was_ordered(sandbox: Sandbox, is_on: bool) -> None:
    assert await sandbox_is_on(sandbox) is is_on


async def test_root_has_no_sandbox_unless_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)

    assert not await sandbox_is_on(Sandbox.AUTO)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def test_a_browser_that_does_not_start_is_lost_in_its_own_words(temporary: Path) -> None:
    program = temporary / "chromium"
    program.write_text("#!/bin/sh\necho 'no usable sandbox' >&2; exit 1\n")
    program.chmod(0o755)

    with pytest.raises(BrowserLostError, match="chromium did not start: no usable sandbox"):
        async with open_browser(LaunchOptions(chromium=program, sandbox=False)):
            pass

    assert list(temporary.iterdir()) == [program]


async def test_a_program_that_is_not_there_is_a_lost_browser(temporary: Path) -> None:
    program = temporary / "chromium"

    with pytest.raises(BrowserLostError, match="chromium did not start: .*not found"):
        async with open_browser(LaunchOptions(chromium=program, sandbox=False)):
            pass

    assert list(temporary.iterdir()) == []


def test_only_profiles_that_nobody_uses_are_swept(temporary: Path) -> None:
    used, left, young = make_profile(), make_profile(), make_profile()
    (left.folder / "Default").mkdir()
    for lock in (left.lock, young.lock):
        os.close(lock)  # whoever held it was killed
    for profile in (used, left):
        os.utime(profile.folder, (0, 0))

    sweep_profiles()

    assert set(temporary.iterdir()) == {used.folder, young.folder}
    fcntl.flock(used.lock, fcntl.LOCK_UN)
    remove_profile(used)
    assert list(temporary.iterdir()) == [young.folder]
