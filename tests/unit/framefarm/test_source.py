"""What SOURCE may be, and what is said when it is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from framefarm.source import FolderSource, find_source
from renderer.composition import PageUrl
from renderer.errors import InvalidRequestError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "title.html").write_text("<p>")
    (tmp_path / "notes.txt").write_text("-")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "intro.html").write_text("<p>")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_a_page_brings_its_folder(folder: Path) -> None:
    assert find_source(str(folder / "title.html")) == FolderSource(
        folder=folder, entry="title.html"
    )


def test_a_folder_is_opened_at_its_index(folder: Path) -> None:
    assert find_source(str(folder)) == FolderSource(folder=folder, entry="index.html")


def test_a_relative_name_is_found_from_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    assert find_source("title.html") == FolderSource(folder=folder, entry="title.html")


@pytest.mark.parametrize("url", ["http://example.test/a?b=1", "https://example.test:8443/"])
def test_a_url_is_used_as_it_is(url: str) -> None:
    assert find_source(url) == PageUrl(url)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone.html", r"gone\.html does not exist; give an \.html file, a folder or"),
        ("notes.txt", r"notes\.txt is not an \.html file; give the page itself, or its folder"),
        ("parts", r"has no index\.html; give the page itself, like .*parts/intro\.html"),
        ("empty", r"has no index\.html; no page is in it"),
        ("x" * 5000, "cannot look at .*: File name too long"),
    ],
)
def test_what_is_not_there_is_told_with_a_remedy(folder: Path, name: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^source: .*{problem}"):
        find_source(str(folder / name))


@pytest.mark.parametrize("text", ["file:///etc/passwd", "ftp://example.test/a.html", "http://"])
def test_other_urls_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="http"):
        find_source(text)
