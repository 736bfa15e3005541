"""What was found out about a job, kept for the coordinator that goes on: also on a lost disk."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from coordinator.artifacts.folder import open_folder
from coordinator.artifacts.shelf import Shelf
from coordinator.findings import Findings, Found
from renderer.settings import History

FOUND = Found(history=History.STATEFUL, probes=2, torn=frozenset({60, 1800}))


def findings(shelf: Shelf) -> Findings:
    folder = shelf.root / "chunks" / "job"
    folder.mkdir(parents=True, exist_ok=True)
    return Findings(folder, shelf)


async def test_at_first_nothing_is_found(tmp_path: Path) -> None:
    assert await findings(Shelf(tmp_path)).read() == Found()


async def test_what_was_kept_last_is_read_by_another_process(tmp_path: Path) -> None:
    kept = findings(Shelf(tmp_path))
    await kept.keep(Found(history=History.SEEKABLE))
    await kept.keep(FOUND)

    assert await findings(Shelf(tmp_path)).read() == FOUND


async def test_what_was_kept_elsewhere_outlives_the_disk(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data", open_folder(tmp_path / "store"))
    await findings(shelf).keep(FOUND)
    shutil.rmtree(tmp_path / "data")

    assert await findings(shelf).read() == FOUND


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"history": "sideways", "torn": []}'])
async def test_what_is_damaged_is_found_out_again(
    tmp_path: Path, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    kept = findings(Shelf(tmp_path))
    (tmp_path / "chunks" / "job" / "findings.json").write_text(damaged)

    with caplog.at_level(logging.WARNING):
        assert await kept.read() == Found()

    assert caplog.messages == ["what was found out about a job is damaged: it is asked again"]
