"""Every relative link and every anchor in our Markdown leads somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
NOT_OURS = frozenset({".venv", ".git", "node_modules", "out", "dist"})
FENCE = re.compile(r"^(```|~~~).*?^\1", flags=re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
INLINE = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)", flags=re.MULTILINE)
HTML = re.compile(r"<(?:a|img|source|video)\b[^>]*?\b(?:href|src|srcset)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", flags=re.MULTILINE)
NAMED = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def documents() -> list[Path]:
    return [
        path
        for path in sorted(ROOT.rglob("*.md"))
        if not NOT_OURS & set(path.relative_to(ROOT).parts)
    ]


def prose(text: str) -> str:
    """The text without its code, in which brackets are no links."""
    return CODE.sub("", FENCE.sub("", text))


def links(text: str) -> list[str]:
    found = prose(text)
    return [
        *INLINE.findall(found),
        *REFERENCE.findall(found),
        *HTML.findall(found),
    ]


def is_elsewhere(link: str) -> bool:
    return bool(re.match(r"[a-z][a-z+.-]*:|//", link))


def slug(heading: str) -> str:
    """The anchor that a forge gives a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = re.sub(r"[^\w\- ]", "", words.replace("`", "").lower())
    return kept.replace(" ", "-")


@cache
def anchors(path: Path) -> frozenset[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    found: list[str] = []
    for heading in HEADING.findall(text):
        name = slug(heading)
        again = found.count(name)
        found.append(f"{name}-{again}" if again else name)
    return frozenset(found) | frozenset(NAMED.findall(text))


def problem(document: Path, link: str) -> str | None:
    path, _, anchor = unquote(link).partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.is_relative_to(ROOT):
        return f"{link} leaves the project"
    if not target.exists():
        return f"{link}: no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{link}: {target.name} has no such heading"
    return None


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    problems = [problem(document, link) for link in links(text) if not is_elsewhere(link)]

    assert [one for one in problems if one] == []


def test_broken_links_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_links.ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# A *heading*, with `code`\n\n## Same\n\n## Same\n")
    text = """\
[good](other.md) [good](other.md#same-1) [good](other.md#a-heading-with-code)
[gone](missing.md) [gone](other.md#nowhere) <img src="gone.png"> [out](../../etc/passwd)
`[code](no-link.md)`

```
[code](no-link.md)
```
[far](https://example.com/x)

[reference]: gone-too.md
"""
    document = tmp_path / "page.md"
    document.write_text(text)

    found = {link: problem(document, link) for link in links(text) if not is_elsewhere(link)}

    good = {"other.md", "other.md#same-1", "other.md#a-heading-with-code"}
    bad = {"missing.md", "other.md#nowhere", "gone.png", "../../etc/passwd", "gone-too.md"}
    assert {link for link, why in found.items() if why is None} == good
    assert {link for link, why in found.items() if why is not None} == bad
