"""The script that asks a page what it waits for, and lets it say so: `window.framefarm`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .settings import RenderSettings

READY: Final = "window[Symbol.for('framefarm.ready')]"


def ready_script(settings: RenderSettings) -> str:
    """Return the script to run in every document after the clock's, before its own."""
    return _called("ready.js", settings)


def contracts_script(settings: RenderSettings) -> str:
    """Return the script that knows other renderers' contracts, to run after `ready_script`."""
    return _called("contracts.js", settings)


def _called(file: str, settings: RenderSettings) -> str:
    rate = settings.frame_rate
    options = {"fps": [rate.numerator, rate.denominator], "props": settings.props_json}
    return f"({_source(file)})({json.dumps(options)})"


@cache
def _source(file: str) -> str:
    text = files("renderer").joinpath(file).read_text(encoding="utf-8")
    return text[text.index("(options)") :]
