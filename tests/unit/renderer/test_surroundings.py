from __future__ import annotations

from typing import Any

import pytest

from renderer.cdp import CdpError, CdpSession
from renderer.errors import InvalidRequestError
from renderer.settings import RenderSettings
from renderer.surroundings import surround


class FakeConnection:
    """A browser that refuses one method."""

    def __init__(self, refused: str) -> None:
        self._refused = refused

    async def send(self, session: CdpSession, method: str, params: dict[str, Any]) -> Any:
        if method == self._refused:
            raise CdpError("Invalid value")
        return {"userAgent": "Chromium"}


@pytest.mark.parametrize(
    ("method", "field", "words"),
    [
        ("Emulation.setTimezoneOverride", "timezone", "does not know 'UTC'"),
        ("Emulation.setLocaleOverride", "locale", "does not know 'en-US'"),
    ],
)
async def test_what_chromium_does_not_know_is_a_mistake_of_the_request(
    method: str, field: str, words: str
) -> None:
    session = CdpSession(FakeConnection(method), "1")  # type: ignore[arg-type]

    with pytest.raises(InvalidRequestError, match=words) as caught:
        await surround(session, RenderSettings())

    assert [violation.field for violation in caught.value.violations] == [field]
