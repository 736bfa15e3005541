"""Cookies that no browser would take are refused before one is asked; values stay secret."""

from __future__ import annotations

from typing import Any

import pytest

from renderer.cdp import CdpError, CdpSession
from renderer.cookies import MAX_COOKIES, Cookie, cookie_violations, set_cookies
from renderer.errors import InvalidRequestError
from renderer.settings import RenderSettings


def problems(*cookies: Cookie) -> list[str]:
    return [violation.problem for violation in cookie_violations(cookies)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "'' is no cookie's name"),
        ({"name": "a b"}, "'a b' is no cookie's name"),
        ({"value": "1;2"}, "the value of id is not plain ASCII without semicolons"),
        ({"value": "é"}, "not plain ASCII"),
        ({"value": "x" * 4096}, "of 4096 bytes"),
        ({"domain": "https://x.example"}, "is no host name; write it like example.com"),
        ({"domain": "x.example:80"}, "is no host name"),
        ({"path": "app"}, "id's path 'app' does not begin with /"),
        ({"same_site": "loose"}, "'loose' is unknown; use strict, lax or none"),
        ({"same_site": "none"}, "has to be secure, too"),
        ({"name": "__Secure-id"}, "__Secure-id has to be secure, by its prefix"),
        ({"name": "__Host-id", "secure": True, "domain": "x.example"}, "may have no domain"),
        ({"name": "__Host-id", "secure": True, "path": "/app"}, "and / as path"),
    ],
)
def test_a_cookie_that_cannot_be_is_refused_with_its_remedy(
    said: dict[str, Any], words: str
) -> None:
    (problem,) = problems(Cookie(**{"name": "id", "value": "1"} | said))

    assert words in problem


@pytest.mark.parametrize(
    "said",
    [
        {"value": ""},
        {"value": '{"a": 1, "b": "%3B"}'},
        {"domain": ".x.example", "path": "/app/", "secure": True, "same_site": "none"},
        {"domain": "127.0.0.1"},
        {"name": "__Host-id", "secure": True},
    ],
)
def test_a_cookie_that_can_be_is_fine(said: dict[str, Any]) -> None:
    assert problems(Cookie(**{"name": "id", "value": "1"} | said)) == []


def test_a_place_has_one_cookie_of_a_name() -> None:
    one, other = Cookie(name="id", value="1"), Cookie(name="id", value="2")

    assert problems(one, other) == ["id is given twice for one domain and path; drop one"]
    assert problems(one, Cookie(name="id", value="2", path="/app")) == []


def test_there_is_a_limit_to_cookies() -> None:
    cookies = [Cookie(name=f"c{number}", value="") for number in range(MAX_COOKIES + 1)]

    assert problems(*cookies) == ["101 cookies are over the limit of 100"]


def test_settings_that_are_printed_keep_the_values_to_themselves() -> None:
    settings = RenderSettings(cookies=(Cookie(name="id", value="hidden"),))

    assert "id" in repr(settings)
    assert "hidden" not in repr(settings)


class FakeConnection:
    """A browser that answers every call with `reply`, or raises it."""

    def __init__(self, reply: dict[str, Any] | CdpError) -> None:
        self._reply = reply

    async def send(self, session: CdpSession, method: str, params: dict[str, Any]) -> Any:
        del session, method, params
        if isinstance(self._reply, CdpError):
            raise self._reply
        return self._reply


@pytest.mark.parametrize("reply", [{"success": False}, CdpError("Invalid cookie fields")])
async def test_a_cookie_that_chromium_does_not_take_is_named(
    reply: dict[str, Any] | CdpError,
) -> None:
    cdp = CdpSession(FakeConnection(reply), "1")  # type: ignore[arg-type]
    cookie = Cookie(name="id", value="hidden", domain="x.example")

    with pytest.raises(InvalidRequestError, match="cookies: Chromium does not take id") as caught:
        await set_cookies(cdp, (cookie,), "http://y.example/")

    assert "hidden" not in str(caught.value)
