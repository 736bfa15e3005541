"""How people write a file of subtitles: `FILE,lang=en,title=English,offset=2s`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from renderer.frames import parse_duration

from .tracks import SubtitleTrack

_OPTION: Final = re.compile(r"(?P<key>[a-z_-]+)=(?P<value>.*)", re.DOTALL)
_KNOWN: Final = ("lang", "title", "offset")


def parse_subtitles(text: str) -> SubtitleTrack:
    """Read `FILE,lang=en,title=English,offset=2s`. Commas in the file's name are fine.

    Raises:
        ValueError: an unknown option, or a value that cannot be.

    """
    name, given = text, dict[str, str]()
    while (cut := name.rpartition(","))[1] and (option := _OPTION.fullmatch(cut[2])):
        key = option["key"]
        if key not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise ValueError(f"{key!r:.80} is no option of subtitles; known are {known}")
        if key in given:
            raise ValueError(f"{key} is given twice in {text!r:.200}; drop one")
        given[key], name = option["value"], cut[0]
    if not name:
        raise ValueError(f"{text!r:.200} names no file; write FILE,lang=en")
    options: dict[str, Any] = {}
    if "offset" in given:
        options["offset_s"] = parse_duration(given["offset"])
    return SubtitleTrack(
        source=Path(name),
        language=given.get("lang", ""),
        title=given.get("title", ""),
        **options,
    )
