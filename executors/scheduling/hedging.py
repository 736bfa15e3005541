"""Which running chunk is worth a second attempt, when nothing else waits. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .chunk import Chunk

# A second attempt has to win clearly: it may cost others their CPU, and most of it is thrown away.
_CLEARLY: Final = 1.5
_WORTH_S: Final = 2.0


def gain_s(chunk: Chunk, *, frame_s: float | None, now_s: float) -> float:
    """How much sooner a chunk would be there by a second attempt; 0 where that is not worth it.

    `frame_s` is what a frame of its job takes as a rule. A chunk that has given no frame for twice
    as long as all of it should take is as good as lost.
    """
    if frame_s is None or len(chunk.attempts) != 1 or not chunk.live:
        return 0.0
    (attempt,) = chunk.live
    fresh_s, passed_s = frame_s * chunk.offer.frames, now_s - attempt.began_s
    if attempt.frames:
        left_s = passed_s / attempt.frames * (chunk.offer.frames - attempt.frames)
    else:
        left_s = math.inf if passed_s > 2 * fresh_s else 0.0
    is_worth_it = left_s > _CLEARLY * fresh_s and left_s - fresh_s > _WORTH_S
    return left_s - fresh_s if is_worth_it else 0.0
