"""What a page has asked the network for: the main document's answer, and what is still open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from .site import PRIVATE

if TYPE_CHECKING:
    from .cdp import CdpSession

    Params = dict[str, Any]

# What a frame may show as soon as it has come.
_AWAITED: Final = {"Document", "Fetch", "Font", "Image", "Script", "Stylesheet", "XHR"}


class Requests:
    """The requests of one target, as its Network events tell them."""

    def __init__(self, cdp: CdpSession) -> None:
        self.begun = 0  # so many have been begun that a frame may be incomplete without
        self.awaited: dict[str, Params] = {}  # and these of them have not come
        self._open: dict[str, str] = {}
        self._document_status: dict[str, int] = {}
        self._complete: asyncio.Future[Params] | None = None
        self._cdp = cdp
        cdp.on("Network.requestWillBeSent", self._on_sent)
        cdp.on("Network.requestServedFromCache", self._on_cached)
        cdp.on("Network.responseReceived", self._on_answered)
        cdp.on("Network.loadingFinished", self._on_ended)
        cdp.on("Network.loadingFailed", self._on_ended)
        cdp.on("Page.frameNavigated", lambda params: self._on_left(**_place(params["frame"])))
        cdp.on("Page.frameDetached", lambda params: self._on_left(params["frameId"]))

    @property
    def open_urls(self) -> list[str]:
        return list(self._open.values())

    def document_status(self, frame_id: str) -> int:
        """Return the HTTP status of a frame's document, 0 before it is known."""
        return self._document_status.get(frame_id, 0)

    def hand_on(self, target_id: str) -> None:
        """A worker has come: that its script has, nobody tells here."""
        self._open.pop(target_id, None)

    async def wait(self, limit_s: float) -> None:
        """Wait until all that is awaited has come, or the time is up."""
        self._complete = complete = self._cdp.expect()
        try:
            await asyncio.wait([complete], timeout=limit_s)
            if complete.done():
                complete.result()
        finally:
            self._cdp.forget(complete)

    def _on_sent(self, params: Params) -> None:
        request_id, url = params["requestId"], params["request"]["url"]
        self._open[request_id] = url
        is_ours = PRIVATE in url  # a video's next picture, which this frame does not show
        is_heard = bool(params["loaderId"])  # a worker's own script ends in the worker, unheard
        is_wanted = params.get("type") in _AWAITED and is_heard and not is_ours
        if is_wanted and request_id not in self.awaited:
            self.awaited[request_id] = params
            self.begun += not url.startswith("data:")  # such are there at once

    def _on_cached(self, params: Params) -> None:
        if params["requestId"] in self.awaited:
            self.awaited.pop(params["requestId"], None)
            self.begun -= 1

    def _on_answered(self, params: Params) -> None:
        if params["type"] == "Document":
            self._document_status[params["frameId"]] = params["response"]["status"]
        elif params["type"] == "Fetch":  # it ends when the page reads it, which it need not do
            self._on_ended(params)

    def _on_left(self, frame_id: str, loader_id: str = "") -> None:
        """What a document asked for that is no more: nobody tells of its end."""
        for request_id, sent in tuple(self.awaited.items()):
            if sent.get("frameId") == frame_id and sent["loaderId"] != loader_id:
                self._on_ended({"requestId": request_id})

    def _on_ended(self, params: Params) -> None:
        self._open.pop(params["requestId"], None)
        self.awaited.pop(params["requestId"], None)
        if not self.awaited and self._complete is not None and not self._complete.done():
            self._complete.set_result({})


def _place(frame: Params) -> Params:
    return {"frame_id": frame["id"], "loader_id": frame["loaderId"]}
