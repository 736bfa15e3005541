from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import MissingToolError
from renderer.fingerprint import Fingerprint, cpu_class, read_fingerprint
from renderer.tools import Tools

FACTS = Fingerprint(
    chromium="Chromium 156",
    ffmpeg="ffmpeg version 5",
    fonts="abc",
    flags=("--one",),
    capture="begin-frame-png",
    cpu="x86-64-v3",
)


@pytest.mark.parametrize("field", ["chromium", "ffmpeg", "fonts", "capture", "cpu"])
def test_whatever_decides_pixels_changes_it(field: str) -> None:
    changes: dict[str, Any] = {field: "other"}

    assert replace(FACTS, **changes).id != FACTS.id


def test_it_is_short_and_the_same_everywhere() -> None:
    assert replace(FACTS).id == FACTS.id
    assert len(FACTS.id) == 16
    assert str(FACTS).startswith(f"{FACTS.id}: Chromium 156, ")


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("sse sse2", "x86-64"),
        ("ssse3 sse4_1 sse4_2 popcnt", "x86-64-v2"),
        ("avx avx2 bmi1 bmi2 f16c fma movbe ssse3", "x86-64-v3"),
        ("avx2 avx512f avx512bw avx512dq avx512vl avx512cd", "x86-64-v4"),
    ],
)
def test_a_processor_has_the_highest_class_it_meets(flags: str, name: str) -> None:
    assert cpu_class(flags.split()) == name


def tool(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


async def test_the_tools_are_asked(tmp_path: Path) -> None:
    chromium = tool(tmp_path, "chromium-headless-shell", "echo Chromium 1.2.3")
    ffmpeg = tool(tmp_path, "ffmpeg", "echo ffmpeg version 9 and more; echo built with care")

    facts = await read_fingerprint(Tools(chromium, ffmpeg, ffmpeg))

    assert (facts.chromium, facts.ffmpeg) == ("Chromium 1.2.3", "ffmpeg version 9")


async def test_another_chromium_of_the_same_version_is_another(tmp_path: Path) -> None:
    chromium = tool(tmp_path, "chromium", "echo Chromium 1.2.3")

    facts = await read_fingerprint(Tools(chromium, chromium, chromium))

    assert facts.chromium == "Chromium 1.2.3, no headless shell"


async def test_a_tool_that_fails_is_missing(tmp_path: Path) -> None:
    broken = tool(tmp_path, "chromium", "echo no libnss3 >&2; exit 127")

    with pytest.raises(MissingToolError, match="status 127: no libnss3"):
        await read_fingerprint(Tools(broken, broken, broken))
