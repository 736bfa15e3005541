"""Cookies that a page's browser has before its first request. Their values are never told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .cdp import CdpError
from .errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .cdp import CdpSession

MAX_COOKIES: Final = 100
MAX_COOKIE_BYTES: Final = 4096
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
_PATH: Final = re.compile(r"/[\x20-\x3a\x3c-\x7e]*")
_HOST: Final = re.compile(r"\.?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?", re.IGNORECASE)
_SAME_SITE: Final = {"": None, "strict": "Strict", "lax": "Lax", "none": "None"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie; without a domain it is the composition's own host's alone.

    It lasts as long as the page is filmed.
    """

    name: str
    value: str = field(repr=False)  # which may be a secret
    domain: str = ""
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    same_site: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """What a browser has one cookie for."""
        return self.name, self.domain.lstrip(".").lower(), self.path


def cookie_violations(cookies: tuple[Cookie, ...]) -> Iterator[Violation]:
    if len(cookies) > MAX_COOKIES:
        yield Violation("cookies", f"{len(cookies)} cookies are over the limit of {MAX_COOKIES}")
    seen = set[tuple[str, str, str]]()
    for cookie in cookies:
        problem = _problem(cookie) or _prefix_problem(cookie)
        if not problem and cookie.place in seen:
            problem = f"{cookie.name} is given twice for one domain and path; drop one"
        if problem:
            yield Violation("cookies", problem)
        seen.add(cookie.place)


async def set_cookies(cdp: CdpSession, cookies: tuple[Cookie, ...], url: str) -> None:
    """Give the page's browser context its cookies, before the page at `url` is opened.

    Raises:
        InvalidRequestError: Chromium takes one of them not; it is named.

    """
    for cookie in cookies:
        try:
            reply = await cdp.call("Network.setCookie", _told(cookie, url))
        except CdpError as error:
            raise _refused(cookie, str(error)) from error
        if not reply.get("success"):
            raise _refused(cookie, "it does not say why")


def _told(cookie: Cookie, url: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value,
        "path": cookie.path,
        "secure": cookie.secure,
        "httpOnly": cookie.http_only,
    }
    if same_site := _SAME_SITE[cookie.same_site]:
        told["sameSite"] = same_site
    return told | ({"domain": cookie.domain} if cookie.domain else {"url": url})


def _refused(cookie: Cookie, why: str) -> InvalidRequestError:
    problem = f"Chromium does not take {cookie.name}: {why}; check its domain, path and prefix"
    return InvalidRequestError([Violation("cookies", problem)])


def _problem(cookie: Cookie) -> str | None:
    name = cookie.name
    if not _NAME.fullmatch(name):
        return f"{name!r:.80} is no cookie's name; write it like name=value;path=/"
    if not _VALUE.fullmatch(cookie.value) or len(name) + len(cookie.value) > MAX_COOKIE_BYTES:
        return (
            f"the value of {name} is not plain ASCII without semicolons of {MAX_COOKIE_BYTES} "
            "bytes; encode it, with percent signs for instance"
        )
    if cookie.domain and not _HOST.fullmatch(cookie.domain):
        return f"{name}'s domain {cookie.domain!r:.80} is no host name; write it like example.com"
    if not _PATH.fullmatch(cookie.path):
        return f"{name}'s path {cookie.path!r:.80} does not begin with /; write it like /app"
    if cookie.same_site not in _SAME_SITE:
        return f"{name}'s samesite {cookie.same_site!r:.80} is unknown; use strict, lax or none"
    return None


def _prefix_problem(cookie: Cookie) -> str | None:
    """Browsers take some cookies only with what their names promise."""
    name = cookie.name
    if cookie.same_site == "none" and not cookie.secure:
        return f"{name} with samesite=none has to be secure, too"
    if name.startswith(("__Secure-", "__Host-")) and not cookie.secure:
        return f"{name} has to be secure, by its prefix"
    if name.startswith("__Host-") and (cookie.domain or cookie.path != "/"):
        return f"{name} may have no domain, and / as path, by its prefix"
    return None
