"""Chance: the script that seeds a document's random numbers, anew for each frame."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import RenderSettings


def chance_script(settings: RenderSettings, place: tuple[str, ...] | None = None) -> str:
    """Return the script to run in every document after the clock's, before its own.

    A document finds out by itself where in the page it is; a worker is told its `place`.
    """
    rate = settings.frame_rate
    options: dict[str, object] = {
        "fps": [rate.numerator, rate.denominator],
        "seed": [settings.seed & 0xFFFF_FFFF, settings.seed >> 32],
    }
    if place is not None:
        options["place"] = place
    return f"({_page_half()})({json.dumps(options)})"


@cache
def _page_half() -> str:
    text = files("renderer").joinpath("chance.js").read_text(encoding="utf-8")
    return text[text.index("(options)") :]
