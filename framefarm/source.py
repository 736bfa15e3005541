"""SOURCE: an .html file, a folder with an index.html, or a page's URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from renderer.composition import PageUrl
from renderer.errors import InvalidRequestError, Violation

_INDEX: Final = "index.html"
_PAGES: Final = (".html", ".htm", ".xhtml")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A page on this machine: the folder that becomes the bundle, and the page's path in it."""

    folder: Path
    entry: str


Source = PageUrl | FolderSource


def find_source(text: str) -> Source:
    """Find what the user means by SOURCE.

    Raises:
        InvalidRequestError: there is no such page; the violation's field is `source`.

    """
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme in ("http", "https"):
        return PageUrl(text)
    if scheme:
        raise _wrong(f"{text}: not a file, a folder or an http(s) URL")
    try:
        return _on_disk(text, Path(text).expanduser())
    except OSError as error:  # no permission to look, or no possible name
        raise _wrong(f"cannot look at {text}: {error.strerror}") from error


def _on_disk(text: str, path: Path) -> FolderSource:
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise _wrong(f"{text} does not exist; give an .html file, a folder or an http(s) URL")
    if path.suffix.lower() not in _PAGES:
        raise _wrong(f"{text} is not an .html file; give the page itself, or its folder")
    return FolderSource(folder=path.parent.absolute(), entry=path.name)


def _in_folder(folder: Path) -> FolderSource:
    if (folder / _INDEX).is_file():
        return FolderSource(folder=folder.absolute(), entry=_INDEX)
    pages = sorted(page.name for page in folder.glob("*.html") if page.is_file())
    remedy = f"give the page itself, like {folder / pages[0]}" if pages else "no page is in it"
    raise _wrong(f"folder {folder} has no {_INDEX}; {remedy}")


def _wrong(problem: str) -> InvalidRequestError:
    return InvalidRequestError([Violation("source", problem)])
