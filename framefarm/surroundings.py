"""How users say what a page finds around it: headers, cookies, the moment of frame 0. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from renderer.cookies import Cookie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VALUES: Final = {"domain": "domain", "path": "path", "samesite": "same_site"}
_FLAGS: Final = {"secure": "secure", "httponly": "http_only"}


def read_headers(headers: Sequence[str] | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(headers, Mapping):
        yield from headers.items()
        return
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon:
            raise ValueError("a header is written like 'X-Name: value'; one has no colon")
        yield name.strip(), value.strip()


def read_cookies(cookies: Sequence[str] | Mapping[str, str]) -> Iterator[Cookie]:
    """Read cookies like `name=value;domain=example.com;path=/;secure;httponly;samesite=lax`.

    Raises:
        ValueError: one cannot be read. Its value, which may be a secret, is not repeated.

    """
    if isinstance(cookies, Mapping):
        for name, value in cookies.items():
            yield Cookie(name=name, value=value)
        return
    for text in cookies:
        yield _cookie(text)


def _cookie(text: str) -> Cookie:
    first, *rest = text.split(";")
    name, equals, value = first.partition("=")
    if not equals:
        raise ValueError("a cookie is written like 'name=value;path=/'; one has no equals sign")
    attributes = dict[str, Any]()
    for number, part in enumerate(rest, start=1):
        key, equals, said = (word.strip() for word in part.partition("="))
        if equals and key.lower() in _VALUES:
            attribute = _VALUES[key.lower()]
            attributes[attribute] = said.lower() if attribute == "same_site" else said
        elif not equals and key.lower() in _FLAGS:
            attributes[_FLAGS[key.lower()]] = True
        elif part.strip():
            # Not what stands there: it may be the rest of a value that holds a semicolon.
            raise ValueError(
                f"{name.strip()!r:.80} has no attribute that its part {number} could be; there are "
                "domain=, path=, samesite=, secure and httponly. A semicolon in a value is "
                "written %3B"
            )
    return Cookie(name=name.strip(), value=value.strip(), **attributes)


def read_epoch_ms(said: str | datetime) -> int:
    """Read a moment; without an offset it is in UTC."""
    if isinstance(said, str):
        try:
            said = datetime.fromisoformat(said)
        except ValueError:
            raise ValueError(
                f"{said!r} is no ISO 8601 time; write it like 2024-01-01T12:00:00Z"
            ) from None
    moment = said if said.tzinfo else said.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
