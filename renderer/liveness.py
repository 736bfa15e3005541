"""Liveness: who is silent when no frame comes, Chromium's drawing or the page's own scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import FrameStalledError

if TYPE_CHECKING:
    from .cdp import CdpSession

# Before there is a page, a frame takes milliseconds: a browser this late draws nothing at all.
PROBE_TIMEOUT_S: Final = 10.0
_ASK_TIMEOUT_S: Final = 2.0


async def answers(cdp: CdpSession) -> bool:
    """Whether a page's main thread is at leisure: that no frame comes is then not its fault.

    Raises:
        RenderError: what the page failed with meanwhile.

    """
    try:
        await cdp.call("Runtime.evaluate", {"expression": "0"}, timeout_s=_ASK_TIMEOUT_S)
    except FrameStalledError:
        return False
    return True
