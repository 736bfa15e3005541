"""What users say of an encoder: bitrates and options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BITRATE: Final = re.compile(r"([0-9]{1,9})(\.[0-9]{1,6})?([kM])", re.ASCII)
_KBITS: Final = {"k": 1, "M": 1000}


def read_bitrate_kbps(said: str) -> int:
    """Thousands of bits a second.

    Raises:
        ValueError: it is none.

    """
    found = _BITRATE.fullmatch(said)
    if found is None:
        raise ValueError(f"{said!r:.80} is no bitrate; write it like 800k or 5M")
    whole, part, unit = found.groups()
    return round(float(whole + (part or "")) * _KBITS[unit])


def read_codec_options(said: Sequence[str] | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names and values, from texts like `aq-mode=3`.

    Raises:
        ValueError: a text has no value.

    """
    if isinstance(said, Mapping):
        yield from ((name, str(value)) for name, value in said.items())
        return
    for text in said:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r:.80} has no value; write it like aq-mode=3")
        yield name.strip(), value.strip()
