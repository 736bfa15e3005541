from __future__ import annotations

from pathlib import Path

import pytest

from renderer import tools
from renderer.drawing import Drawing
from renderer.errors import MissingToolError
from renderer.tools import find_chromium, find_drawing, find_ffmpeg, find_tools


@pytest.fixture(autouse=True)
def _no_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own Chromium must not be found."""
    monkeypatch.setattr(tools, "_DEBIAN_SHELL", tmp_path / "debian" / "chromium-headless-shell")
    monkeypatch.setattr(tools, "_DEBIAN_CHROMIUM", tmp_path / "debian" / "chromium")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def machine(root: Path, **variables: str) -> dict[str, str]:
    """The environment of a machine that has only what stands below `root`."""
    return {"HOME": str(root / "home"), "PATH": str(root / "bin"), **variables}


def playwright_shell(root: Path, revision: int) -> Path:
    folder = root / f"chromium_headless_shell-{revision}" / "chrome-headless-shell-linux64"
    return program(folder / "chrome-headless-shell")


def test_a_named_chromium_comes_first(tmp_path: Path) -> None:
    named = program(tmp_path / "mine")
    playwright_shell(tmp_path / "home/.cache/ms-playwright", 9)

    assert find_chromium(machine(tmp_path, FRAMEFARM_CHROMIUM=str(named))) == named


def test_a_named_chromium_must_exist(tmp_path: Path) -> None:
    program(tmp_path / "bin/chromium-headless-shell")

    with pytest.raises(MissingToolError, match=r"FRAMEFARM_CHROMIUM names '/no/such'.*unset it"):
        find_chromium(machine(tmp_path, FRAMEFARM_CHROMIUM="/no/such"))


def test_the_newest_of_playwrights_shells_comes_next(tmp_path: Path) -> None:
    cache = tmp_path / "home/.cache/ms-playwright"
    playwright_shell(cache, 999)
    newest = playwright_shell(cache, 1255)
    program(tmp_path / "bin/chromium-headless-shell")

    assert find_chromium(machine(tmp_path)) == newest


def test_playwrights_shells_are_where_playwright_was_told(tmp_path: Path) -> None:
    shell = playwright_shell(tmp_path / "elsewhere", 7)

    where = str(tmp_path / "elsewhere")
    assert find_chromium(machine(tmp_path, PLAYWRIGHT_BROWSERS_PATH=where)) == shell


def test_debians_binary_comes_before_its_wrapper(tmp_path: Path) -> None:
    wrapper = program(tmp_path / "bin/chromium-headless-shell")
    assert find_chromium(machine(tmp_path)) == wrapper

    binary = program(tmp_path / "debian/chromium-headless-shell")
    assert find_chromium(machine(tmp_path)) == binary


@pytest.mark.parametrize("remedy", ["make setup", "playwright install --only-shell", "apt-get"])
def test_without_a_shell_the_remedies_are_named(tmp_path: Path, remedy: str) -> None:
    with pytest.raises(MissingToolError, match=remedy):
        find_chromium(machine(tmp_path))


def test_a_full_chromium_will_do_where_there_is_no_shell(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin/google-chrome")
    assert find_chromium(machine(tmp_path)) == on_path
    debians = program(tmp_path / "debian/chromium")
    assert find_chromium(machine(tmp_path)) == debians
    cache = tmp_path / "home/.cache/ms-playwright"
    playwrights = program(cache / "chromium-1255/chrome-linux64/chrome")
    assert find_chromium(machine(tmp_path)) == playwrights
    shell = program(tmp_path / "bin/chromium-headless-shell")
    assert find_chromium(machine(tmp_path)) == shell


@pytest.mark.parametrize(
    ("name", "asked", "drawing"),
    [
        ("chrome-headless-shell", "", Drawing.BEGIN_FRAME),
        ("chromium_headless_shell", "auto", Drawing.BEGIN_FRAME),
        ("chromium-headless-shell", "begin-frame-png", Drawing.BEGIN_FRAME),
        ("chromium-headless-shell", "screenshot", Drawing.SCREENSHOT),
        ("chromium", "auto", Drawing.SCREENSHOT),
        ("my-browser", "screenshot", Drawing.SCREENSHOT),
    ],
)
def test_a_browser_draws_as_well_as_it_can_or_as_asked(
    name: str, asked: str, drawing: Drawing
) -> None:
    environment = {"FRAMEFARM_CAPTURE": asked}

    assert find_drawing(environment, Path("/opt", name)) is drawing


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "begin-frame-png",
            "asks for begin-frame-png, and /opt/chrome is no headless shell.*make setup",
        ),
        ("tab", "FRAMEFARM_CAPTURE is 'tab'.*use auto, begin-frame, begin-frame-png or screenshot"),
    ],
)
def test_what_a_browser_cannot_do_is_told(asked: str, message: str) -> None:
    with pytest.raises(MissingToolError, match=message):
        find_drawing({"FRAMEFARM_CAPTURE": asked}, Path("/opt/chrome"))


def test_ffmpeg_needs_ffprobe_too(tmp_path: Path) -> None:
    program(tmp_path / "bin/ffmpeg")

    with pytest.raises(MissingToolError, match=r"no ffprobe on the PATH.*apt-get install ffmpeg"):
        find_ffmpeg(machine(tmp_path))


def test_all_tools_are_found_together(tmp_path: Path) -> None:
    names = ("chrome-headless-shell", "ffmpeg", "ffprobe")
    chromium, ffmpeg, ffprobe = [program(tmp_path / "bin" / name) for name in names]

    found = find_tools(machine(tmp_path))

    assert (found.chromium, found.ffmpeg, found.ffprobe) == (chromium, ffmpeg, ffprobe)


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        ({"HOME": "/home/a"}, Path("/home/a/.cache/framefarm/versions.json")),
        ({"XDG_CACHE_HOME": "/cache"}, Path("/cache/framefarm/versions.json")),
        ({"XDG_CACHE_HOME": "relative"}, None),
        ({"HOME": ""}, None),
    ],
)
def test_versions_are_remembered_in_the_users_own_cache(
    variables: dict[str, str], file: Path | None, tmp_path: Path
) -> None:
    for name in ("chromium-headless-shell", "ffmpeg", "ffprobe"):
        program(tmp_path / "bin" / name)

    assert find_tools({"PATH": str(tmp_path / "bin"), **variables}).versions == file
