"""A farm whose workers are far away: late, lost and disordered packets, and a line that is cut."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.pages import tools_or_skip
from tests.support.require import missing

from .cable import why_not
from .plans import Deed

FRAMES = 72
TIMEOUT_S = 240


def test_a_bad_line_does_not_show_in_the_file() -> None:
    tools_or_skip()
    if why := why_not():
        missing("networks", why)
    size = ["--frames", str(FRAMES), "--chunk-frames", "24", "--workers", "2"]
    words = [sys.executable, "-m", "tests.chaos", "--mode", "far", "--seeds", "1", *size]

    # In a process of its own, which has a network of its own, and so have all that it starts.
    ran = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    undisturbed, disturbed = told
    assert undisturbed["faults"] == disturbed["faults"] == []
    assert disturbed["same"]
    assert disturbed["blows"] == 1
    assert f"{Deed.UNPLUG} worker" in ran.stdout
