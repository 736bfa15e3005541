"""What a page has asked the network for: the main document's answer, and what is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cdp import CdpSession

    Params = dict[str, Any]


class Requests:
    """The requests of one target, as its Network events tell them."""

    def __init__(self, cdp: CdpSession) -> None:
        self._open: dict[str, str] = {}
        self._document_status: dict[str, int] = {}
        cdp.on("Network.requestWillBeSent", self._on_sent)
        cdp.on("Network.responseReceived", self._on_answered)
        cdp.on("Network.loadingFinished", self._on_ended)
        cdp.on("Network.loadingFailed", self._on_ended)

    @property
    def open_urls(self) -> list[str]:
        return list(self._open.values())

    def document_status(self, frame_id: str) -> int:
        """Return the HTTP status of a frame's document, 0 before it is known."""
        return self._document_status.get(frame_id, 0)

    def _on_sent(self, params: Params) -> None:
        self._open[params["requestId"]] = params["request"]["url"]

    def _on_answered(self, params: Params) -> None:
        if params["type"] == "Document":
            self._document_status[params["frameId"]] = params["response"]["status"]

    def _on_ended(self, params: Params) -> None:
        self._open.pop(params["requestId"], None)
