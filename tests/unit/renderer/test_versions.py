"""What a program says of its version is remembered until its file changes."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from renderer.fingerprint import read_fingerprint
from renderer.tools import Tools
from renderer.versions import Versions


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "cache" / "framefarm" / "versions.json")


def binary(path: Path) -> Path:
    """A program that is no script."""
    shutil.copy(Path(shutil.which("true") or sys.executable).resolve(), path)
    return path


def test_what_was_said_is_remembered_by_the_next_process_too(
    versions: Versions, tmp_path: Path
) -> None:
    program = binary(tmp_path / "ffmpeg")
    assert versions.recall(program) is None

    versions.remember(program, "ffmpeg version 5")

    again = Versions(tmp_path / "cache" / "framefarm" / "versions.json")
    assert again.recall(program) == "ffmpeg version 5"
    assert [path.name for path in (tmp_path / "cache" / "framefarm").iterdir()] == ["versions.json"]


def test_a_program_that_was_replaced_is_asked_again(versions: Versions, tmp_path: Path) -> None:
    program = binary(tmp_path / "ffmpeg")
    facts = program.stat()
    versions.remember(program, "ffmpeg version 5")

    binary(tmp_path / "new").replace(program)  # of the same size, and from the same time
    os.utime(program, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert versions.recall(program) is None


def test_a_link_that_leads_elsewhere_now_is_asked_again(versions: Versions, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.symlink_to(binary(tmp_path / "ffmpeg-5"))
    versions.remember(program, "ffmpeg version 5")
    assert versions.recall(program) == "ffmpeg version 5"

    program.unlink()
    program.symlink_to(binary(tmp_path / "ffmpeg-6"))

    assert versions.recall(program) is None


def test_a_script_is_asked_each_time(versions: Versions, tmp_path: Path) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\nexec /opt/ffmpeg\n")

    versions.remember(script, "ffmpeg version 5")

    assert versions.recall(script) is None


def test_what_stands_for_many_programs_is_asked_each_time(
    versions: Versions, tmp_path: Path
) -> None:
    program = tmp_path / "ffmpeg"
    program.symlink_to(binary(tmp_path / "snap"))

    versions.remember(program, "ffmpeg version 5")

    assert versions.recall(program) is None


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'{"%s": 1}', b'{"%s": {"said": 1}}'])
def test_a_file_that_is_not_ours_is_written_anew(content: bytes, tmp_path: Path) -> None:
    file, program = tmp_path / "versions.json", binary(tmp_path / "ffmpeg")
    file.write_bytes(content.replace(b"%s", os.fsencode(program)))
    versions = Versions(file)
    assert versions.recall(program) is None

    versions.remember(program, "ffmpeg version 5")

    assert versions.recall(program) == "ffmpeg version 5"


def test_only_so_many_programs_are_remembered(versions: Versions, tmp_path: Path) -> None:
    programs = [binary(tmp_path / f"program-{number}") for number in range(40)]
    for program in programs:
        versions.remember(program, program.name)

    known = [versions.recall(program) for program in programs]

    assert known == [None] * 8 + [program.name for program in programs[8:]]


async def test_where_nothing_can_be_written_the_tools_are_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    chromium, ffmpeg = tmp_path / "chromium-headless-shell", tmp_path / "ffmpeg"
    for tool, word in ((chromium, "Chromium 1"), (ffmpeg, "ffmpeg version 2")):
        tool.write_text(f"#!/bin/sh\necho {word}\n")
        tool.chmod(0o755)

    tools = Tools(chromium, ffmpeg, ffmpeg, versions=tmp_path / "file" / "versions.json")

    assert (await read_fingerprint(tools)).ffmpeg == "ffmpeg version 2"
    Versions(tmp_path / "file" / "versions.json").remember(binary(tmp_path / "true"), "1")


async def test_a_fingerprint_is_made_of_what_is_remembered(
    versions: Versions, tmp_path: Path
) -> None:
    """They say nothing at all: what is known of them was told before."""
    chromium = binary(tmp_path / "chromium-headless-shell")
    ffmpeg = binary(tmp_path / "ffmpeg")
    versions.remember(chromium, "Chromium 1.2.3")
    versions.remember(ffmpeg, "ffmpeg version 9 and more")
    file = tmp_path / "cache" / "framefarm" / "versions.json"

    facts = await read_fingerprint(Tools(chromium, ffmpeg, ffmpeg, versions=file))

    assert (facts.chromium, facts.ffmpeg) == ("Chromium 1.2.3", "ffmpeg version 9")
