"""ASS, and SSA: sections, in which lines tell their fields by a format line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .cues import BOTTOM, PLAIN, Cue, Span, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TIME: Final = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})[.:](\d{1,2})", re.ASCII)
_EVENTS: Final = "[events]"
_FIELDS: Final = (
    "layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text",
)  # fmt: skip
_OVERRIDE: Final = re.compile(r"\{([^}]*)\}")
_COMMAND: Final = re.compile(
    r"\\(?P<switch>[bius])(?P<on>\d+)?(?=\\|\)|$|\s)|\\1?c(?:&H(?P<color>[0-9a-f]{1,8})&?)?(?=\\|$)"
    r"|\\an(?P<place>[1-9])|\\p(?P<draws>\d+)|\\(?P<reset>r)",
    re.IGNORECASE,
)
_SWITCHES: Final = {"b": "bold", "i": "italic", "u": "underlined", "s": "struck"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A Dialogue line: where it stands, its fields, and which of them are times."""

    line: int
    start_ms: int
    end_ms: int
    fields: tuple[str, ...]
    start_at: int
    end_at: int

    @property
    def text(self) -> str:
        return self.fields[-1]

    def at(self, start_ms: int, end_ms: int) -> str:
        """The line, with other times."""
        fields = list(self.fields)
        fields[self.start_at], fields[self.end_at] = written(start_ms), written(end_ms)
        return f"Dialogue: {','.join(fields)}"


def parse(text: str) -> list[Cue]:
    """Read the cues.

    Raises:
        ValueError: with the number of the line that cannot be.

    """
    return [_cue(event) for event in events(text)]


def events(text: str) -> Iterator[Event]:
    """The Dialogue lines, in the file's order.

    Raises:
        ValueError: with the number of the line that cannot be.

    """
    section: str = ""
    names: tuple[str, ...] = _FIELDS
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip().startswith("["):
            section = line.strip().lower()
        key, _, value = line.partition(":")
        if section != _EVENTS:
            continue
        if key.strip().lower() == "format":
            names = _names(value, number)
        elif key.strip().lower() == "dialogue":
            yield _event(value.strip(), names, number)


def with_times(text: str, times: Callable[[Event], tuple[int, int] | None]) -> str:
    """The same file with other times in its Dialogue lines; without those that get none."""
    lines = text.split("\n")
    for event in reversed(list(events(text))):
        if (told := times(event)) is None:
            del lines[event.line - 1]
        else:
            lines[event.line - 1] = event.at(*told)
    return "\n".join(lines)


def written(time_ms: int) -> str:
    """Hours, minutes, seconds and hundredths: a millisecond more is lost."""
    seconds, rest = divmod(time_ms // 10, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:02}"


def event_text(cue: Cue) -> str:
    """A cue's text, as a Dialogue line has it."""
    place = "" if cue.place == BOTTOM else f"{{\\an{cue.place}}}"
    return place + "".join(map(_overridden, cue.spans))


def _names(value: str, number: int) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in value.split(","))
    if not {"start", "end", "text"} <= set(names) or names[-1] != "text":
        raise ValueError(
            f"line {number}: the format of events has Start and End, and Text as the last, "
            f"not {value.strip()!r:.80}"
        )
    return names


def _event(value: str, names: tuple[str, ...], number: int) -> Event:
    fields = tuple(value.split(",", len(names) - 1))
    if len(fields) != len(names):
        raise ValueError(
            f"line {number}: a Dialogue line of {len(fields)} fields, where the format has "
            f"{len(names)}: {', '.join(names)}"
        )
    start_at, end_at = names.index("start"), names.index("end")
    return Event(
        line=number,
        start_ms=_milliseconds(fields[start_at], number),
        end_ms=_milliseconds(fields[end_at], number),
        fields=fields,
        start_at=start_at,
        end_at=end_at,
    )


def _milliseconds(text: str, number: int) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"line {number}: {text.strip()!r:.80} is no time; write it like 0:01:02.50"
        )
    hours, minutes, seconds, part = found.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(part.ljust(2, "0")) * 10


def _cue(event: Event) -> Cue:
    style, place, draws = PLAIN, BOTTOM, False
    spans: list[Span] = []
    for index, piece in enumerate(_OVERRIDE.split(event.text)):
        if index % 2 == 0:
            spans += [] if draws or not piece else [Span(_letters(piece), style)]
            continue
        for command in _COMMAND.finditer(piece):
            style = _styled(style, command)
            place = int(command["place"] or place)
            draws = bool(int(command["draws"])) if command["draws"] else draws
    return Cue(start_ms=event.start_ms, end_ms=event.end_ms, spans=tuple(spans), place=place)


def _letters(text: str) -> str:
    return text.replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", "\u00a0")


def _styled(style: Style, command: re.Match[str]) -> Style:
    if command["reset"]:
        return PLAIN
    if command["switch"]:
        name = _SWITCHES[command["switch"].lower()]
        switched: dict[str, Any] = {name: bool(int(command["on"] or 0))}
        return replace(style, **switched)
    if command["color"]:
        blue, green, red = (command["color"].zfill(6)[-6:][at : at + 2] for at in (0, 2, 4))
        return replace(style, color=f"{red}{green}{blue}".lower())
    return style


def _overridden(span: Span) -> str:
    style = span.style
    on = [
        command
        for is_on, command in (
            (style.bold, r"\b1"),
            (style.italic, r"\i1"),
            (style.underlined, r"\u1"),
            (style.struck, r"\s1"),
        )
        if is_on
    ]
    if style.color:
        red, green, blue = (style.color[at : at + 2] for at in (0, 2, 4))
        on.append(f"\\c&H{blue}{green}{red}&")
    text = _escaped(span.text)
    return f"{{{''.join(on)}}}{text}{{\\r}}" if on else text


def _escaped(text: str) -> str:
    # A word joiner, which nobody sees, keeps a backslash from commanding what is behind it.
    plain = text.replace("\\", "\\\u2060").replace("{", "\\{").replace("\n", r"\N")
    return plain.replace("\u00a0", r"\h")
