"""The page halves of the strategies: functions, each in a file, to be called with values."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


def call(name: str, *arguments: str) -> str:
    """Return the expression that calls the function in `name`.js; arguments are expressions."""
    return f"({source(name)})({', '.join(arguments)})"


def literal(text: str) -> str:
    return json.dumps(text)


@cache
def source(name: str) -> str:
    return files("renderer.capture").joinpath(f"{name}.js").read_text(encoding="utf-8")
