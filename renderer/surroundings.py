"""What a page finds around it besides its own files: where, when and on what it believes to be."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .backdrop import backdrop_of, put_behind
from .cdp import CdpError
from .errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cdp import CdpSession
    from .settings import RenderSettings

# No page ever sees the machine: these are no worker's own.
PROCESSORS: Final = 8
MEMORY_GIB: Final = 8

MIN_SCALE: Final = 0.5
MAX_SCALE: Final = 4.0
MAX_EPOCH_MS: Final = 253_402_300_799_999  # the last moment of the year 9999
MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 8192
_UTC: Final = "UTC"
_OF_THIS_MACHINE: Final = re.compile(r"localtime$|posixrules$|Factory$|posix/|right/")
_LOCALE: Final = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(-[A-WYZa-wyz0-9](-[A-Za-z0-9]{2,8})+)*"
)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE: Final = re.compile(r"[\t\x20-\x7e]*")
_CONNECTION_HEADERS: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}
)


def surroundings_violations(settings: RenderSettings) -> Iterator[Violation]:
    if problem := _timezone_problem(settings.timezone):
        yield Violation("timezone", problem)
    if not _LOCALE.fullmatch(settings.locale):
        yield Violation(
            "locale", f"{settings.locale!r} is no BCP 47 tag; write it like en-US, de or zh-Hant-TW"
        )
    if not _LINE.fullmatch(settings.user_agent) or len(settings.user_agent) > MAX_HEADER_BYTES:
        yield Violation(
            "user_agent", f"{settings.user_agent!r:.80} is not one line of plain ASCII text"
        )
    if not 0 <= settings.epoch_ms <= MAX_EPOCH_MS:
        yield Violation("epoch_ms", f"{settings.epoch_ms} ms is outside the years 1970 to 9999")
    yield from _header_violations(settings.headers)


def surroundings_script() -> str:
    """Return the script to run in every document before its own."""
    return f"({_page_half()})({json.dumps({'memoryGib': MEMORY_GIB})})"


def scaled_px(side_px: int, factor: float) -> Fraction:
    """How many pixels of the picture `side_px` CSS pixels are: exact, by the factor's own text."""
    return side_px * Fraction(str(factor))


def scale_problem(factor: float) -> str | None:
    if MIN_SCALE <= factor <= MAX_SCALE:
        return None
    return f"{factor:g} is outside {MIN_SCALE:g}…{MAX_SCALE:g}"


async def surround(cdp: CdpSession, settings: RenderSettings) -> None:
    """Tell Chromium what a page is to find. To be called before the page is opened.

    Raises:
        InvalidRequestError: Chromium knows no such time zone or locale.

    """
    for field, value, method, parameter in (
        ("timezone", settings.timezone, "Emulation.setTimezoneOverride", "timezoneId"),
        ("locale", settings.locale, "Emulation.setLocaleOverride", "locale"),
    ):
        try:
            await cdp.call(method, {parameter: value})
        except CdpError as error:
            problem = f"Chromium does not know {value!r}: {error}"
            raise InvalidRequestError([Violation(field, problem)]) from error
    scheme = {"name": "prefers-color-scheme", "value": settings.color_scheme.value}
    await cdp.call("Emulation.setEmulatedMedia", {"features": [scheme]})
    await cdp.call("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": PROCESSORS})
    own = await cdp.call("Browser.getVersion")
    await cdp.call(
        "Emulation.setUserAgentOverride",
        {
            "userAgent": settings.user_agent or own["userAgent"],
            "acceptLanguage": settings.locale,
        },
    )
    await put_behind(cdp, backdrop_of(settings))
    if settings.headers:
        await cdp.call("Network.setExtraHTTPHeaders", {"headers": dict(settings.headers)})


@cache
def _page_half() -> str:
    text = files("renderer").joinpath("surroundings.js").read_text(encoding="utf-8")
    return text[text.index("(options)") :]


def _timezone_problem(name: str) -> str | None:
    if name == _UTC:  # known even where no time zones are installed
        return None
    try:
        if _OF_THIS_MACHINE.match(name):
            raise ValueError(name)
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{name!r:.80} is no IANA time zone known here; write it like Europe/Berlin or UTC"
    return None


def _header_violations(headers: tuple[tuple[str, str], ...]) -> Iterator[Violation]:
    if len(headers) > MAX_HEADERS:
        yield Violation("headers", f"{len(headers)} headers are over the limit of {MAX_HEADERS}")
    seen = set[str]()
    for name, value in headers:
        if problem := _header_problem(name, value, seen):
            yield Violation("headers", problem)
        seen.add(name.lower())


def _header_problem(name: str, value: str, seen: set[str]) -> str | None:
    # A value may be a secret: it is never repeated.
    if not _HEADER_NAME.fullmatch(name):
        return f"{name!r:.80} is no header's name; write it like X-Name: value"
    if name.lower() in _CONNECTION_HEADERS:
        return f"{name} belongs to the connection, and Chromium writes it; drop it"
    if name.lower() in seen:
        return f"{name} is given twice; join its values with commas"
    if not _LINE.fullmatch(value) or len(name) + len(value) > MAX_HEADER_BYTES:
        return f"the value of {name} is not one line of plain ASCII of {MAX_HEADER_BYTES} bytes"
    return None
