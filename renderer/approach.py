"""The way from frame 0 to the first frame that is filmed: played, or jumped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .settings import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .capture.base import CaptureStrategy
    from .capture.remembering import RememberingCapture
    from .frames import FrameRate
    from .picture import Picture
    from .session import Session

# The first frame that is painted after others that were not differs in some pixels on pages that
# are heavy to paint: it must not be one that is filmed. One was enough wherever we looked.
APPROACH_FRAMES: Final = 3

# However long nothing was played, SMIL goes on by 60 s at the most: Blink's clock of it takes no
# longer step. A frame that is played now and then costs a longer jump next to nothing.
_LONGEST_JUMP_US: Final = 50_000_000


async def first_picture(
    session: Session,
    capture: RememberingCapture,
    start: int,
    history: History,
    *,
    paints_all: bool = False,
) -> Picture:
    """Bring a page to frame `start`, and return the picture of that.

    Time goes only forward, and pages have a memory: what comes before is played, not filmed. A page
    without a memory is drawn once, so that its animations begin, and then time jumps. A page that
    was filmed before goes on from where it is; it may be at `start` already.

    Some of a page's memory is Chromium's: where an animated GIF is goes by what was painted, which
    `Session.pass_by` knows. Should there be more of that kind: with `paints_all` every frame is
    painted, which takes longer and is as if the chunk began at 0.
    """
    if (picture := capture.recall(start)) is not None:
        return picture
    near = 0 if paints_all else max(0, start - APPROACH_FRAMES)
    if history is History.SEEKABLE and near > max(1, session.next_frame):
        if session.next_frame == 0:
            await capture.approach(0)
        await jump(session, capture, near)
    for frame in range(session.next_frame, near):
        await capture.skip(frame)
    for frame in range(max(session.next_frame, near), start):
        await capture.approach(frame)
    return await capture.capture(start)


async def jump(session: Session, capture: CaptureStrategy, until: int) -> None:
    """Let time jump so far that the page's next frame is `until`; it is not played yet."""
    for frame in stops(session.next_frame, until, session.settings.frame_rate):
        session.leave_out(frame)
        await capture.skip(frame)
    session.leave_out(until)


def stops(start: int, until: int, rate: FrameRate) -> Iterator[int]:
    """The frames that are played on the way from before `start` to `until`. Pure."""
    frames = max(1, int(rate.fraction * _LONGEST_JUMP_US / 1_000_000))
    yield from range(start - 1 + frames, until, frames)
