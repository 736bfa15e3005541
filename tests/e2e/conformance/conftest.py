"""Which tests a browser that draws by itself does not pass, and why."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from renderer.drawing import Drawing
from renderer.errors import MissingToolError
from renderer.tools import find_tools

# What a browser that draws by itself does otherwise, and docs/guides/compositions.md says so. Run
# the suite on each way to film by `make conformance`.
_ITS_OWN_TIME = "Chromium moves the picture by its own time"
# Its picture is off by a frame or by several, as the machine is quick: the test wants one.
_BY_CHANCE = "test_the_limit_of_smil_in_a_picture_is_its_beginning"
_BY_SCREENSHOTS = {
    "test_animated_pictures": _ITS_OWN_TIME,
    "test_a_page_that_seldom_changes_does_not_stop_where_its_picture_does": _ITS_OWN_TIME,
    "test_a_jump_of_minutes_keeps_a_picture_in_time": _ITS_OWN_TIME,
    _BY_CHANCE: _ITS_OWN_TIME,
    "test_shadow_roots": "no script reaches the animations of a closed root in the HTML",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    with suppress(MissingToolError):  # then the tests are skipped, or fail
        if find_tools(os.environ).drawing is Drawing.BEGIN_FRAME:
            return
    for item in items:
        name = item.name.partition("[")[0]
        if _is_conformance(item) and (reason := _BY_SCREENSHOTS.get(name)):
            is_sure = name != _BY_CHANCE
            mark = pytest.mark.xfail(raises=AssertionError, reason=reason, strict=is_sure)
            item.add_marker(mark)


def _is_conformance(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents
