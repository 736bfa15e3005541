"""What a page did not get is told in a few words, each once."""

from __future__ import annotations

from typing import Any

import pytest

from renderer.cdp import CdpConnection, CdpSession, Messages
from renderer.errors import CompositionError
from renderer.missing import Missing

BUNDLE = "http://0123456789abcdef0123456789abcdef.composition.localhost"


def a_session() -> CdpSession:
    return CdpSession(CdpConnection(Messages()), "page")  # nothing is sent


def sends(cdp: CdpSession, url: str, kind: str = "Image", frame: str = "main") -> str:
    cdp.take(
        "Network.requestWillBeSent",
        {"requestId": url, "type": kind, "frameId": frame, "request": {"url": url}},
    )
    return url


def fails(cdp: CdpSession, request: str, **how: Any) -> None:
    cdp.take("Network.loadingFailed", {"requestId": request, **how})


def answers(cdp: CdpSession, request: str, status: int) -> None:
    cdp.take("Network.responseReceived", {"requestId": request, "response": {"status": status}})


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{BUNDLE}/a/b.png", "image /a/b.png: status 404"),
        ("https://example.org/a.png", "image https://example.org/a.png: status 404"),
        (
            f"https://example.org/{'a' * 300}",
            f"image https://example.org/{'a' * 180}…: status 404",
        ),
    ],
)
def test_a_file_of_the_bundle_is_named_by_its_path(url: str, told: str) -> None:
    cdp = a_session()
    missing = Missing(cdp, is_strict=False)

    for _ in range(2):
        answers(cdp, sends(cdp, url), 404)

    assert missing.warnings == (told,)


@pytest.mark.parametrize(
    "how", [{"canceled": True}, {"errorText": "net::ERR_ABORTED"}], ids=["cancelled", "aborted"]
)
def test_what_the_page_gave_up_is_not_missing(how: dict[str, Any]) -> None:
    cdp = a_session()
    missing = Missing(cdp, is_strict=True)

    fails(cdp, sends(cdp, f"{BUNDLE}/a.png"), **how)

    assert missing.warnings == ()


@pytest.mark.parametrize("kind", ["Fetch", "XHR", "Ping", "Other"])
def test_what_the_page_fetches_is_its_own_matter(kind: str) -> None:
    cdp = a_session()
    missing = Missing(cdp, is_strict=True)

    answers(cdp, sends(cdp, f"{BUNDLE}/a", kind), 500)

    assert missing.warnings == ()


def test_the_page_itself_is_not_missing_but_a_frame_in_it_is() -> None:
    cdp = a_session()
    missing = Missing(cdp, is_strict=False)
    missing.main_frame = "main"

    answers(cdp, sends(cdp, f"{BUNDLE}/index.html", "Document"), 404)
    answers(cdp, sends(cdp, f"{BUNDLE}/inner.html", "Document", "inner"), 404)

    assert missing.warnings == ("frame /inner.html: status 404",)


async def test_strict_fails_the_session_with_the_first() -> None:
    cdp = a_session()
    Missing(cdp, is_strict=True)

    fails(cdp, sends(cdp, f"{BUNDLE}/a.ttf", "Font"), errorText="net::ERR_FAILED")
    answers(cdp, sends(cdp, f"{BUNDLE}/b.png"), 404)

    with pytest.raises(CompositionError, match=r"^font /a\.ttf: ERR_FAILED; a strict render"):
        cdp.expect()
