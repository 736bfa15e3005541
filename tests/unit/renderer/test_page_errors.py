from __future__ import annotations

from typing import Any

import pytest

from renderer.errors import Fault
from renderer.page import page_error

WHERE = {"url": "http://x/a.js", "lineNumber": 6, "text": "Uncaught"}


@pytest.mark.parametrize(
    ("thrown", "message", "detail"),
    [
        (
            {"description": "TypeError: no\n    at f (a.js:7:1)"},
            "TypeError: no",
            "TypeError: no\n    at f (a.js:7:1)",
        ),
        ({"description": "SyntaxError: bad"}, "SyntaxError: bad", "http://x/a.js:7"),
        (
            {"description": "Error: two\nlines\n    at a.js:1:1"},
            "Error: two\nlines",
            "    at a.js:1:1",
        ),
        ({"value": "a text"}, "a text", "a text\n    at http://x/a.js:7"),
        ({"value": None, "type": "object"}, "null", "http://x/a.js:7"),
        ({"type": "undefined"}, "undefined", "http://x/a.js:7"),
    ],
)
def test_an_exception_is_told_in_the_pages_words(
    thrown: dict[str, Any], message: str, detail: str
) -> None:
    error = page_error({**WHERE, "exception": thrown})

    assert error.fault is Fault.PAGE_ERROR
    assert str(error) == message
    assert detail in error.detail
