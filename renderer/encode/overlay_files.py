"""The files from which ffmpeg draws subtitles: beside the chunk, for as long as it is encoded."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.subtitles.burning import frames_before, whole_script

from .overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from renderer.settings import RenderSettings

    from .pictures import PictureStream


@asynccontextmanager
async def written_overlays(
    settings: RenderSettings, pictures: PictureStream, first_frame: int, output: Path
) -> AsyncGenerator[list[Overlay]]:
    """What is drawn into a chunk; its files are gone with the block."""
    if not settings.burned_subtitles:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix=".subtitles-", dir=output.absolute().parent) as folder:
        yield await asyncio.to_thread(_write, settings, pictures, first_frame, Path(folder))


def _write(
    settings: RenderSettings, pictures: PictureStream, first_frame: int, folder: Path
) -> list[Overlay]:
    overlays = list[Overlay]()
    for index, subtitles in enumerate(settings.burned_subtitles):
        script = folder / f"{index}.ass"
        text = whole_script(subtitles, pictures.video_size_px)
        script.write_text(text, encoding="utf-8", newline="\n")
        overlay = Overlay(
            subtitles=subtitles,
            script=script,
            first_frame=first_frame,
            before=frames_before(subtitles, first_frame, settings.frame_rate),
        )
        overlays.append(overlay)
    return overlays
