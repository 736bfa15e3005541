"""OpenPages: where the pages of idle workers stand, and how workers come to their chunks."""

from __future__ import annotations

from enum import StrEnum

from executors.base import WarmPage
from executors.scheduling.values import Offer


class Way(StrEnum):
    """How a worker came to a chunk."""

    FOLLOWED = "followed"  # its page stood there
    JUMPED = "jumped"
    LOADED = "loaded"  # its page stood elsewhere, or was another job's
    BEGAN = "began"  # with its page's first frame


class OpenPages:
    """A page a worker."""

    def __init__(self) -> None:
        self._pages: dict[str, WarmPage] = {}

    def of(self, worker: str) -> tuple[WarmPage, ...]:
        page = self._pages.get(worker)
        return () if page is None else (page,)

    def take(self, worker: str, offer: Offer) -> Way:
        """The worker begins a chunk."""
        page = self._pages.pop(worker, None)
        if page is None or page.job_id != offer.job_id or page.from_frame > offer.start:
            return Way.LOADED if offer.start else Way.BEGAN
        return Way.FOLLOWED if page.from_frame == offer.start else Way.JUMPED

    def leave(self, worker: str, offer: Offer) -> None:
        """The worker has ended a chunk."""
        self._pages[worker] = WarmPage(offer.job_id, offer.start + offer.frames)
