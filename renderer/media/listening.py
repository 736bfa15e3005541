"""Asks a page what was heard of it in a chunk, and collects the files that it was heard from."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource
from renderer.bundle import sha256_of
from renderer.settings import History

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from renderer.filming import Film
    from renderer.frames import FrameRate
    from renderer.session import Session

    from .projection import MediaRoom
    from .screening import Source

_LONGEST_NAME: Final = 200
_GRAPHS: Final = "window[Symbol.for('framefarm.graphs')]"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.5
_ROUNDING_NS: Final = 1_000
_RENDER_LIMIT_S: Final = 300.0
_ASK: Final = "window[Symbol.for('framefarm.sounds')]?.report({}) ?? []"


async def listen(session: Session, room: MediaRoom, film: Film, folder: Path) -> SoundReport:
    """Report what was heard up to a chunk's last frame, since the frame before its first.

    Files that are heard and are none of the bundle's come into `folder`. The page of a job's last
    chunk has seen it all, and renders its Web Audio.
    """
    frames = film.frames
    problems: tuple[str, ...] = ()
    if not film.has_successor:
        problems = await _render_graphs(session, film)
    before_ns = _time_ns(session.settings.frame_rate, frames.start - 1) if frames.start else 0
    since_ns = max(0, before_ns - _ROUNDING_NS)
    told: list[dict[str, Any]] = await session.evaluate(_ASK.format(since_ns))
    sources: dict[str, SoundSource] = {}
    for each in told:
        if each["source"] not in sources:
            source = room.source(each["source"])
            sources[each["source"]] = await asyncio.to_thread(_described, source, each)
    passages = tuple(_passage(each, sources[each["source"]].sha256) for each in told)
    heard = {passage.source for passage in passages if passage.is_heard}
    for key, described in sources.items():
        if described.sha256 in heard and not described.is_bundled:
            await asyncio.to_thread(_bring, room.source(key).file, folder / described.sha256)
    unique = {described.sha256: described for described in sources.values()}
    return SoundReport(
        sources=tuple(one for one in unique.values() if one.sha256 in heard),
        passages=passages,
        problems=problems,
    )


async def _render_graphs(session: Session, film: Film) -> tuple[str, ...]:
    """Have the page render its Web Audio up to the film's end; return what went wrong."""
    if not await session.evaluate(f"{_GRAPHS}?.isUsed()"):
        return ()
    if film.settings.history is History.SEEKABLE:
        return ("Web Audio is heard of pages that are played, and time jumped: use --stateful",)
    end_ns = _time_ns(film.settings.frame_rate, film.frames.stop)
    await session.evaluate(f"{_GRAPHS}.begin({end_ns})")
    outcome, wait_s, left_s = "", _FIRST_WAIT_S, _RENDER_LIMIT_S
    while not outcome and left_s > 0:
        await session.pass_a_moment()
        await asyncio.sleep(wait_s)  # it is rendered in real time, by a thread of its own
        outcome = str(await session.evaluate(f"{_GRAPHS}.outcome()"))
        left_s -= wait_s
        wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)
    if outcome == "done":
        return ()
    return (f"Web Audio: {outcome or f'it was not rendered within {_RENDER_LIMIT_S:g} s'}",)


def _time_ns(rate: FrameRate, frame: int) -> int:
    return round(rate.seconds(frame) * NANO)


def _described(source: Source, told: Mapping[str, Any]) -> SoundSource:
    is_bundled = source.is_bundled
    return SoundSource(
        # A bundle's files are blobs, which have their digest's name.
        sha256=source.file.name if is_bundled else sha256_of(source.file),
        name=_short(told["url"]),
        size_bytes=source.file.stat().st_size,
        duration_ns=int(told["duration"]),
        is_bundled=is_bundled,
    )


def _passage(told: Mapping[str, Any], source: str) -> Passage:
    return Passage(
        source=source,
        since_ns=int(told["since"]),  # Chromium may write large numbers as floats
        from_ns=int(told["from"]),
        begins_ns=int(told["begins"]),
        until_ns=None if told["until"] is None else int(told["until"]),
        rate=float(told["rate"]),
        keeps_pitch=told["keepsPitch"],
        loops=told["loops"],
        fade_in_ns=int(told["fadeIn"]),
        fade_out_ns=int(told["fadeOut"]),
        volumes=tuple((int(at), float(factor)) for at, factor in told["volumes"]),
        is_whole=told.get("isWhole", False),
    )


def _bring(file: Path, place: Path) -> None:
    if place.exists():
        return
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(file, place)
    except OSError:  # on another disk
        part = place.with_suffix(f".{os.getpid()}.part")
        shutil.copyfile(file, part)
        part.replace(place)


def _short(url: str) -> str:
    return url if len(url) <= _LONGEST_NAME else f"{url[:_LONGEST_NAME]}…"
