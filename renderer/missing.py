"""What a page shows and did not get: warnings, or the end of the render when it is strict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .errors import CompositionError, Fault

if TYPE_CHECKING:
    from .cdp import CdpSession

    Params = dict[str, Any]

# The page hears itself of what it fetches, and nobody sees an icon.
_KINDS: Final = {
    "Document": "frame",
    "Font": "font",
    "Image": "image",
    "Media": "media",
    "Script": "script",
    "Stylesheet": "stylesheet",
    "TextTrack": "subtitles",
}
_ELEMENTS: Final = {
    "IMG": "image",
    "IMAGE": "image",
    "INPUT": "image",
    "LINK": "stylesheet",
    "VIDEO": "media",
    "AUDIO": "media",
}
_BAD_STATUS: Final = 400
_GIVEN_UP: Final = "net::ERR_ABORTED"
_BAD_FONT: Final = "Failed to decode downloaded font: "
_BUNDLE_HOST: Final = ".composition.localhost"
_LONGEST_URL: Final = 200


@dataclass(frozen=True, slots=True)
class PageWarning:
    """Something that the page wanted to show, and why it does not."""

    kind: str
    url: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {_short(self.url)}: {self.why}"


class Missing:
    """Collects a page's warnings, each once, as Chromium tells them."""

    def __init__(self, cdp: CdpSession, *, is_strict: bool) -> None:
        self._cdp = cdp
        self._is_strict = is_strict
        self._sent: dict[str, tuple[str, str]] = {}
        self._found: dict[str, PageWarning] = {}
        self.main_frame = ""
        cdp.on("Network.requestWillBeSent", self._on_sent)
        cdp.on("Network.responseReceived", self._on_answered)
        cdp.on("Network.loadingFailed", self._on_failed)
        cdp.on("Network.loadingFinished", self._on_finished)
        cdp.on("Log.entryAdded", self._on_log)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(str(warning) for warning in self._found.values())

    def broken(self, element: str, url: str, why: str = "") -> None:
        """An element tells that it has no use for what it got; of media it is known why."""
        if kind := _ELEMENTS.get(element.upper()):
            self._warn(kind, url, why or "it cannot be read")

    def inexact(self, url: str, why: str) -> None:
        """An image shows something, but not what belongs to the frame."""
        self._warn("image", url, why)

    def _on_sent(self, params: Params) -> None:
        kind = _KINDS.get(params.get("type", ""))
        is_page = kind == "frame" and params.get("frameId") == self.main_frame
        if kind and not is_page:
            self._sent[params["requestId"]] = kind, params["request"]["url"]

    def _on_answered(self, params: Params) -> None:
        status = params["response"]["status"]
        if status >= _BAD_STATUS and params["requestId"] in self._sent:
            self._warn(*self._sent[params["requestId"]], f"status {status}")

    def _on_finished(self, params: Params) -> None:
        self._sent.pop(params["requestId"], None)

    def _on_failed(self, params: Params) -> None:
        kind, url = self._sent.pop(params["requestId"], ("", ""))
        error = params.get("errorText", "")
        if kind and not params.get("canceled") and error != _GIVEN_UP:
            self._warn(kind, url, params.get("blockedReason") or error.removeprefix("net::"))

    def _on_log(self, params: Params) -> None:
        text: str = params["entry"]["text"]
        if text.startswith(_BAD_FONT):
            self._warn("font", text.removeprefix(_BAD_FONT), "it cannot be read")

    def _warn(self, kind: str, url: str, why: str) -> None:
        if url in self._found:
            return
        self._found[url] = warning = PageWarning(kind, url, why)
        if self._is_strict:
            self._cdp.fail(
                CompositionError(
                    Fault.MISSING_RESOURCE,
                    f"{warning}; a strict render fails when something is missing or not exact",
                )
            )


def _short(url: str) -> str:
    parts = urlsplit(url)
    if (parts.hostname or "").endswith(_BUNDLE_HOST):
        return parts.path
    return url if len(url) <= _LONGEST_URL else f"{url[:_LONGEST_URL]}…"
