from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from framefarm.errors import DownloadDamagedError
from framefarm.unpacking import pictures_of, unpack


def an_archive(folder: Path, *names: str) -> Path:
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, name.encode())
    return path


async def test_each_picture_becomes_a_file_with_its_frames_number(tmp_path: Path) -> None:
    archive = an_archive(tmp_path, "00000009.png", "00000010.png", "123456789.png")

    await unpack(archive, tmp_path / "100% shot-%03d.png")

    archive.unlink()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "100% shot-009.png": b"00000009.png",
        "100% shot-010.png": b"00000010.png",
        "100% shot-123456789.png": b"123456789.png",
    }


@pytest.mark.parametrize("name", ["../00000001.png", "00000001.sh", "/etc/passwd", "1.png"])
async def test_what_is_no_picture_of_a_frame_is_refused_and_nothing_is_written(
    name: str, tmp_path: Path
) -> None:
    archive = an_archive(tmp_path, "00000000.png", name)

    with pytest.raises(DownloadDamagedError, match="no picture of a frame"):
        await unpack(archive, tmp_path / "%d.png")

    assert list(tmp_path.iterdir()) == [archive]


async def test_a_damaged_zip_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "pictures.zip"
    archive.write_bytes(b"PK not a zip")

    with pytest.raises(DownloadDamagedError, match="damaged"):
        await unpack(archive, tmp_path / "%d.png")

    assert list(tmp_path.iterdir()) == [archive]


def test_pictures_of_an_earlier_render_are_found_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a-0001.png", "a-12.png", "a-.png", "a-x1.png", "b-0001.png", "a-0001.png.txt"):
        (tmp_path / name).touch()

    found = sorted(path.name for path in pictures_of(tmp_path / "a-%04d.png"))

    assert found == ["a-0001.png", "a-12.png"]
