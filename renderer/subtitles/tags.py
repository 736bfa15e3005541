"""Tags within a cue's text, like <i>: of SRT and of WebVTT."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .cues import PLAIN, Span, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Those that look like tags and are none (a < b) stay text.
_TAG: Final = re.compile(
    r"<(?P<end>/?)(?P<name>b|i|u|s|font|c|v|lang|ruby|rt)(?P<more>[ .\t][^<>]*)?>"
    r"|<(?P<time>(?:\d+:)?\d\d:\d\d\.\d{3})>",
    re.IGNORECASE,
)
_COLOR: Final = re.compile(r"color\s*=\s*[\"']?(?P<color>#?[0-9a-z]+)", re.IGNORECASE)
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "b": {"bold": True}, "i": {"italic": True}, "u": {"underlined": True}, "s": {"struck": True},
}  # fmt: skip
# The sixteen of HTML 4, and WebVTT's own classes, which are among them.
_NAMED: Final = {
    "black": "000000", "silver": "c0c0c0", "gray": "808080", "white": "ffffff", "maroon": "800000",
    "red": "ff0000", "purple": "800080", "fuchsia": "ff00ff", "magenta": "ff00ff",
    "green": "008000", "lime": "00ff00", "olive": "808000", "yellow": "ffff00", "navy": "000080",
    "blue": "0000ff", "teal": "008080", "aqua": "00ffff", "cyan": "00ffff",
}  # fmt: skip
_HEX: Final = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def parse_tags(text: str, *, has_entities: bool = False) -> tuple[Span, ...]:
    """Letters and how they look. Tags that are left open end with the cue."""
    spans: list[Span] = []
    opened: list[tuple[str, Style]] = [("", PLAIN)]
    at = 0
    for tag in _TAG.finditer(text):
        spans += _letters(text[at : tag.start()], opened[-1][1], has_entities=has_entities)
        at = tag.end()
        if tag["time"] is not None:  # when a word is sung: all words are there from the start
            continue
        name = tag["name"].lower()
        if tag["end"]:
            _close(opened, name)
        else:
            opened.append((name, _styled(opened[-1][1], name, tag["more"] or "")))
    spans += _letters(text[at:], opened[-1][1], has_entities=has_entities)
    return tuple(spans)


def tagged(spans: Iterable[Span], *, has_colors: bool) -> str:
    """Text with tags. WebVTT (which has no colours of this kind) escapes what would be some."""
    return "".join(_tagged(span, has_colors=has_colors) for span in spans)


def plain(spans: Iterable[Span]) -> str:
    return "".join(span.text for span in spans)


def _letters(text: str, style: Style, *, has_entities: bool) -> Iterator[Span]:
    if text:
        yield Span(html.unescape(text) if has_entities else text, style)


def _close(opened: list[tuple[str, Style]], name: str) -> None:
    """Close the tag and all within it; one that was never opened is nothing."""
    names = [each for each, _ in opened]
    if name in names:
        del opened[len(names) - 1 - names[::-1].index(name) :]


def _styled(style: Style, name: str, more: str) -> Style:
    if name in _STYLES:
        return replace(style, **_STYLES[name])
    if name == "font" and (found := _COLOR.search(more)):
        return replace(style, color=_color(found["color"]) or style.color)
    if name == "c":
        classes = (each.strip().lower() for each in more.split("."))
        colors = [_NAMED[each] for each in classes if each in _NAMED]
        return replace(style, color=colors[0]) if colors else style
    return style


def _color(said: str) -> str:
    if _HEX.fullmatch(said):
        return said[1:].lower()
    return _NAMED.get(said.lower(), "")


def _tagged(span: Span, *, has_colors: bool) -> str:
    style = span.style
    text = span.text if has_colors else span.text.translate(_ESCAPES)
    if style.color and has_colors:
        text = f'<font color="#{style.color}">{text}</font>'
    for is_on, name in (
        (style.struck and has_colors, "s"),
        (style.underlined, "u"),
        (style.italic, "i"),
        (style.bold, "b"),
    ):
        text = f"<{name}>{text}</{name}>" if is_on else text
    return text
