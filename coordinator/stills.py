"""Stills: one frame of a film, out of the chunk that holds it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import ffmpeg as graph

from renderer.encode.arguments import BITEXACT, compiled, track_timescale
from renderer.encode.containers import CONTAINERS
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.recipe import chunk_recipe
from renderer.frames import FrameRange

from .assembly import ChunkFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from renderer.settings import RenderSettings

    from .assembly import Workbench


async def cut_out(
    frame: int, chunks: Iterable[ChunkFile], kept: RenderSettings, bench: Workbench
) -> ChunkFile:
    """A chunk of one frame of those that were `kept`, as it was captured.

    Raises:
        EncoderError: the frame's chunk cannot be read.

    """
    (chunk,) = (each for each in chunks if each.frames.start <= frame < each.frames.stop)
    cut = bench.folder / "frame"
    recipe, rate = chunk_recipe(kept), kept.frame_rate
    # Half a frame before it: what ffmpeg rounds does not let it begin with a neighbour.
    before_s = max(Fraction(0), rate.seconds(2 * (frame - chunk.frames.start) - 1) / 2)
    source = graph.input(f"file:{chunk.path}", ss=f"{float(before_s):.6f}")
    how = {"c:v": recipe.encoder, **recipe.options, "pix_fmt": recipe.pixel_format}
    timescale = {"video_track_timescale": track_timescale(rate)}
    form = {"format": CONTAINERS[recipe.container].muxer, **timescale, **BITEXACT}
    stream = graph.output(source["v:0"], f"file:{cut}", **how, **form, **{"frames:v": 1})
    await run_ffmpeg(compiled(stream, bench.ffmpeg), cut)
    return ChunkFile(path=cut, frames=FrameRange(frame, frame + 1))
