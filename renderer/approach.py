"""The way from frame 0 to the first frame that is filmed: played, or jumped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .settings import History

if TYPE_CHECKING:
    from .capture.remembering import RememberingCapture
    from .picture import Picture
    from .session import Session

# The first frame that is painted after others that were not differs in some pixels on pages that
# are heavy to paint: it must not be one that is filmed. One was enough wherever we looked.
APPROACH_FRAMES: Final = 3


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
        session.leave_out(near)
    for frame in range(session.next_frame, near):
        await capture.skip(frame)
    for frame in range(max(session.next_frame, near), start):
        await capture.approach(frame)
    return await capture.capture(start)
