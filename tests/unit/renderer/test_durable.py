"""Part files: placed whole, and swept when nobody writes them any more."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from renderer.bundle import BundleStore
from renderer.durable import PartFile, place, sweep_parts

KILLED = """
import os, sys
from pathlib import Path
from renderer.durable import PartFile

PartFile(Path(sys.argv[1])).write(b"half of it")
os._exit(9)
"""


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_part_has_its_name_when_it_is_placed(tmp_path: Path) -> None:
    with closing(PartFile(tmp_path)) as part:
        part.write(b"one")
        part.write(b"two")
        part.place(tmp_path / "whole")

    assert parts(tmp_path) == ["whole"]
    assert (tmp_path / "whole").read_bytes() == b"onetwo"


def test_a_part_that_was_not_placed_leaves_nothing(tmp_path: Path) -> None:
    with closing(PartFile(tmp_path)) as part:
        part.write(b"one")

    assert parts(tmp_path) == []


def test_a_sweep_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    root = Path(__file__).parents[3]
    paths = os.environ | {"PYTHONPATH": str(root)}
    killed = subprocess.run(command, cwd=root, env=paths, check=False)
    assert killed.returncode == 9
    assert len(parts(tmp_path)) == 1

    sweep_parts(tmp_path)

    assert parts(tmp_path) == []


def test_a_sweep_leaves_what_somebody_writes_and_what_is_not_a_part(tmp_path: Path) -> None:
    (tmp_path / "whole").touch()
    with closing(PartFile(tmp_path)) as part:
        part.write(b"half")

        sweep_parts(tmp_path)
        part.place(tmp_path / "other")

    assert sorted(parts(tmp_path)) == ["other", "whole"]


def test_a_bundle_store_sweeps_its_folders_when_it_is_opened(tmp_path: Path) -> None:
    BundleStore(tmp_path)
    for folder in ("blobs", "bundles"):
        (tmp_path / folder / ".part-old").touch()

    BundleStore(tmp_path)

    assert parts(tmp_path / "blobs") == parts(tmp_path / "bundles") == []


def test_a_file_is_synced_before_it_has_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    part, whole = tmp_path / "part", tmp_path / "whole"
    part.write_bytes(b"bytes")
    synced = os.fsync

    def fsync(descriptor: int) -> None:
        seen.append((Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path, whole.exists()))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    place(part, whole)

    assert seen == [(False, False), (True, True)]
