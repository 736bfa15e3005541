"""Skips that cannot make CI green: FRAMEFARM_REQUIRE=docker,chromium turns them into failures."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

KNOWN = frozenset(
    {
        "cgroup",
        "chromium",
        "cjk",
        "docker",
        "kubectl",
        "mpv",
        "networks",
        "npm",
        "players",
        "postgres",
        "tmpfs",
    }
)


def missing(what: str, why: str) -> NoReturn:
    """Skip the test because `what` is not on this machine, unless CI requires it."""
    assert what in KNOWN
    if what in required(os.environ.get("FRAMEFARM_REQUIRE", "")):
        pytest.fail(f"FRAMEFARM_REQUIRE names {what}, but {why}", pytrace=False)
    pytest.skip(f"needs {what}: {why}")


def required(text: str) -> frozenset[str]:
    names = frozenset(filter(None, text.split(",")))
    if unknown := names - KNOWN:
        raise ValueError(f"FRAMEFARM_REQUIRE knows {sorted(KNOWN)}, not {sorted(unknown)}")
    return names
