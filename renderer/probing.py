"""The probe: a page is played twice and jumped into, and its pictures are compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from .approach import APPROACH_FRAMES, first_picture, jump
from .errors import CompositionError, FrameStalledError
from .history import Between, Difference, ProbeResult, Route, Use, route
from .settings import History

if TYPE_CHECKING:
    from .capture.base import CaptureStrategy
    from .capture.remembering import RememberingCapture
    from .frames import FrameRange
    from .picture import Picture
    from .session import Session

_WATCH: Final = "window[Symbol.for('framefarm.watch')]"

# A page that does not bear a jump may be right when it is played.
_PAGE_FAULTS: Final = (CompositionError, FrameStalledError)

Pictures = dict[int, bytes]
OpenStage = Callable[[], AbstractAsyncContextManager["tuple[Session, RememberingCapture]"]]


async def probe_page(open_stage: OpenStage, frames: FrameRange) -> ProbeResult:
    """Find out whether a page shows the same in each session, and after a jump.

    `open_stage` opens the page anew, with `watch_script` in it; the browser may have had others.

    Raises:
        RenderError: the page throws where it is played, or cannot be filmed.

    """
    way = route(frames)
    async with open_stage() as (session, capture):
        played = await _play(session, capture, way)
        obstacle = await _visit(session, capture, way, played)
        uses = () if obstacle else _uses(await session.evaluate(f"{_WATCH}.uses()"))
    async with open_stage() as (session, capture):
        again = await _play(session, capture, way)
        if not obstacle:
            obstacle = await _visit(session, capture, way, again)
    jumped = Pictures()
    if not obstacle:
        obstacle = await _jump(open_stage, way, jumped)
    return ProbeResult(
        frames=way.pictures,
        jumps=way.jumps,
        differences=(
            *_differences(played, again, Between.SESSIONS),
            *_differences(played, jumped, Between.WAYS),
        ),
        uses=uses,
        obstacle=obstacle,
    )


async def _play(session: Session, capture: CaptureStrategy, way: Route) -> Pictures:
    pictures, near = Pictures(), _near(way)
    for frame in range(way.played + 1):
        if frame in way.pictures:
            pictures[frame] = await _file_of(await capture.capture(frame))
        elif frame in near:
            await capture.approach(frame)
        else:
            await capture.skip(frame)
    return pictures


async def _visit(session: Session, capture: CaptureStrategy, way: Route, pictures: Pictures) -> str:
    """Come by at the frames that are not played; return what went wrong on the way."""
    try:
        for visit in way.visits:
            await jump(session, capture, visit - APPROACH_FRAMES)
            for frame in range(visit - APPROACH_FRAMES, visit):
                await capture.approach(frame)
            pictures[visit] = await _file_of(await capture.capture(visit))
    except _PAGE_FAULTS as error:
        return str(error)
    return ""


async def _jump(open_stage: OpenStage, way: Route, pictures: Pictures) -> str:
    """Go to frames straight from frame 0; return what went wrong."""
    for frame in way.jumps:
        async with open_stage() as (session, capture):
            try:
                picture = await first_picture(session, capture, frame, History.SEEKABLE)
                pictures[frame] = await _file_of(picture)
            except _PAGE_FAULTS as error:
                return str(error)
    return ""


async def _file_of(picture: Picture) -> bytes:
    """Return a PNG file: the picture's own pixels are many, and soon overwritten."""
    return await asyncio.to_thread(picture.png)


def _near(way: Route) -> set[int]:
    return {frame - back for frame in way.pictures for back in range(1, APPROACH_FRAMES + 1)}


def _differences(one: Pictures, other: Pictures, between: Between) -> tuple[Difference, ...]:
    return tuple(
        Difference(frame=frame, between=between, pictures=(one[frame], picture))
        for frame, picture in other.items()
        if one.get(frame, picture) != picture
    )


def _uses(told: list[list[Any]]) -> tuple[Use, ...]:
    return tuple(Use(api=api, detail=detail, count=count) for api, detail, count in told)


@cache
def watch_script() -> str:
    """Return the script to run in every document after the clock's, before its own."""
    text = files("renderer").joinpath("watch.js").read_text(encoding="utf-8")
    return f"({text[text.index('() =>') :].rstrip()})()"
