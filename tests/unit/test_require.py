"""A test that is skipped has a name for what it needs, by which it can be made to fail instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.memory_cgroup import memory_cgroup
from tests.support.require import KNOWN, missing, required

TESTS = Path(__file__).parents[1]
HERE = Path(__file__).name
REQUIRE = TESTS / "support" / "require.py"


def sources() -> list[str]:
    paths = [path for path in TESTS.rglob("*.py") if path != REQUIRE and path.name != HERE]
    return [path.read_text(encoding="utf-8") for path in paths]


def test_each_name_is_one_that_some_test_needs() -> None:
    named = {name for text in sources() for name in re.findall(r'\bmissing\("(\w+)"', text)}

    assert named == KNOWN


def test_nothing_is_skipped_without_a_name() -> None:
    assert not [
        text for text in sources() if re.search(r"pytest\.(skip|importorskip|mark\.skip)", text)
    ]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_what_is_required_and_missing_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEFARM_REQUIRE", f"chromium,{name}")

    with pytest.raises(pytest.fail.Exception, match=f"names {name}, but it is not here"):
        missing(name, "it is not here")


def test_what_is_missing_and_not_required_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEFARM_REQUIRE", "chromium")

    with pytest.raises(pytest.skip.Exception, match="needs networks: none may be made"):
        missing("networks", "none may be made")


def test_a_name_that_is_not_known_is_told() -> None:
    with pytest.raises(ValueError, match="knows .*not .*'cgruop'"):
        required("chromium,cgruop")


def test_where_no_memory_may_be_limited_the_name_is_cgroup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.memory_cgroup._ROOT", tmp_path)  # without that controller
    monkeypatch.setenv("FRAMEFARM_REQUIRE", "cgroup")

    with pytest.raises(pytest.fail.Exception, match="names cgroup"), memory_cgroup(1 << 28):
        pass
