"""Checks a page here, before a job is paid for: what of it is not the same twice."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renderer.bundle import BundleStore
from renderer.encode.difference import write_difference
from renderer.history import Between
from renderer.keeping import WarmLimits
from renderer.settings import History
from renderer.tools import find_tools

from .preparation import Place, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renderer.events import OnRenderEvent
    from renderer.history import ProbeResult

    from .preparation import PreparedJob
    from .request import RenderOptions

# What a probe plays anyway.
DEFAULT_FRAMES: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a probe found, and the pictures that were written of it."""

    result: ProbeResult
    is_played: bool  # the user says that the page needs the frames before a frame
    pictures: Mapping[tuple[Between, int], Path]

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs that the user has not said."""
        wrong = self.result.of(Between.SESSIONS) if self.is_played else self.result.differences
        return not wrong


async def check(
    source: str, options: RenderOptions, *, pictures: Path | None, on_event: OnRenderEvent
) -> Checked:
    """Probe a page on this machine; with a folder `pictures`, draw there what differs.

    Raises:
        InvalidRequestError: the request is wrong; `violations` says where.
        MissingToolError: this machine cannot render.
        RenderError: the page throws, or cannot be filmed.

    """
    if "frames" not in options and "duration" not in options:
        options = {**options, "frames": DEFAULT_FRAMES}
    from renderer.renderer import open_renderer  # late: only a check waits for its import

    prepared = await prepare(source, options, output=None, place=Place())
    spec = prepared.spec
    tools = find_tools(os.environ)
    with tempfile.TemporaryDirectory(prefix="framefarm-check-") as folder:
        bundles = BundleStore(Path(folder))
        await asyncio.to_thread(_keep, prepared, bundles)
        async with open_renderer(bundles, tools, limits=WarmLimits(browsers=1)) as renderer:
            result = await renderer.probe(
                spec.composition, spec.frames, settings=spec.settings, on_event=on_event
            )
    drawn = {} if pictures is None else await _draw(tools.ffmpeg, result, pictures)
    is_played = spec.settings.history is History.STATEFUL
    return Checked(result=result, is_played=is_played, pictures=drawn)


def _keep(prepared: PreparedJob, bundles: BundleStore) -> None:
    for bundle in prepared.bundles:
        bundles.add_folder(bundle.folder, bundle.manifest)


async def _draw(ffmpeg: Path, result: ProbeResult, folder: Path) -> dict[tuple[Between, int], Path]:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    drawn: dict[tuple[Between, int], Path] = {}
    for row in result.differences:
        path = folder / f"{row.between}-{row.frame:06}.png"
        await write_difference(ffmpeg, row.pictures, path)
        drawn[row.between, row.frame] = path
    return drawn
