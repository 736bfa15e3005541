"""The assembler: chunk files and a mix → one file. Where it can be, pictures are only copied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

from renderer.audio.clips import CHANNELS, SAMPLE_RATE
from renderer.encode.arguments import BITEXACT, compiled, ticks_per_frame, track_timescale
from renderer.encode.check import check_pictures
from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Container
from renderer.encode.containers import CONTAINERS, sound_format
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.probe import probe
from renderer.encode.reading.chunk import chunk_facts
from renderer.encode.recipe import chunk_recipe, is_encoded_once_more, video_recipe
from renderer.errors import EncoderError

from .assembly import Workbench
from .extras import Extras, check_extras, subtitle_inputs, with_extras
from .last_encode import check_webp, encode_once_more
from .muxing import file_options, sounds
from .picture_files import gather_pictures

if TYPE_CHECKING:
    from renderer.encode.probe import VideoFacts
    from renderer.frames import FrameRate

    from .assembly import Assembly

_PICTURES: Final = frozenset({Container.ZIP, Container.PNG, Container.JPG})


async def make(assembly: Assembly, made: Path, bench: Workbench) -> None:
    """Make a file, and verify it.

    Raises:
        EncoderError: a chunk cannot be read, or the file is not what it should be.

    """
    container = container_of(assembly.settings)
    if container in _PICTURES:
        await gather_pictures(assembly, made, bench)
        return
    if is_encoded_once_more(assembly.settings) or assembly.is_converted:
        await encode_once_more(assembly, made, bench)
    else:
        await _copy(assembly, made, bench)
    if container is Container.WEBP:
        await check_webp(made, assembly)
    else:
        check_video(await _facts(made, assembly, bench), assembly)


async def _facts(made: Path, assembly: Assembly, bench: Workbench) -> VideoFacts:
    """Read what stands in the file. Of more than pictures only ffprobe can tell."""
    if assembly.sound is None and assembly.extras == Extras():
        return await chunk_facts(bench.ffprobe, made)
    return await probe(bench.ffprobe, made)


async def _copy(assembly: Assembly, made: Path, bench: Workbench) -> None:
    """Join the chunks' streams as they are.

    Where frames' times are to be rounded, they are exact before: roundings do not add up then.
    """
    chunks = CONTAINERS[chunk_recipe(assembly.settings).container]
    file = CONTAINERS[container_of(assembly.settings)]
    if chunks.ticks_per_second is not None:
        times = rounded_times(assembly.frame_rate, chunks.ticks_per_second)
        await _write(assembly, bench.chunks(), made, bench, times)
    elif file.ticks_per_second is None:
        await _write(assembly, bench.chunks(), made, bench, await _times(assembly, bench))
    else:
        joined = bench.folder / "joined"
        await _join(assembly, joined, bench, chunks.muxer)
        await _write(assembly, graph.input(f"file:{joined}")["v:0"], made, bench, "null")


async def _times(assembly: Assembly, bench: Workbench) -> str:
    first = await chunk_facts(bench.ffprobe, assembly.chunks[0].path)
    return exact_times(assembly.frame_rate, reorder_frames=first.reorder_frames)


async def _join(assembly: Assembly, joined: Path, bench: Workbench, muxer: str) -> None:
    timescale = track_timescale(assembly.frame_rate)
    options = {"c:v": "copy", "format": muxer, "video_track_timescale": timescale}
    options["bsf:v"] = await _times(assembly, bench)
    stream = graph.output(bench.chunks(), f"file:{joined}", **options, **BITEXACT)
    await run_ffmpeg(compiled(stream, bench.ffmpeg), joined)


async def _write(
    assembly: Assembly, pictures: Any, made: Path, bench: Workbench, times: str
) -> None:
    options = {"c:v": "copy", "bsf:v": times, **file_options(assembly)}
    del options["pix_fmt"]  # which is what it is
    if tag := video_recipe(assembly.settings).options.get("tag:v"):
        options["tag:v"] = tag
    beside = [*sounds(assembly), *await subtitle_inputs(assembly, bench)]
    stream = graph.output(pictures, *beside, f"file:{made}", **options)
    command = await with_extras(compiled(stream, bench.ffmpeg), assembly, bench)
    await run_ffmpeg(command, made)


def rounded_times(rate: FrameRate, ticks_per_second: int) -> str:
    """The bitstream filter that puts frames on the ticks nearest to where they belong."""
    scale = f"*{ticks_per_second * rate.denominator}/{rate.numerator}"
    begins, ends = f"round(N{scale})", f"round((N+1){scale})"
    return f"setts=pts={begins}:dts={begins}:duration={ends}-{begins}"


def exact_times(rate: FrameRate, *, reorder_frames: int) -> str:
    """The bitstream filter that puts frames on exact times.

    Presentation times are within a microsecond and snap to the frame they mean. Decoding times
    are counted anew: a chunk of one or two frames has no room to begin as early as B-frames need,
    so the files' own would go backwards.
    """
    ticks = ticks_per_frame(rate)
    return f"setts=pts=round(PTS/{ticks})*{ticks}:dts=(N-{reorder_frames})*{ticks}:duration={ticks}"


def check_video(facts: VideoFacts, assembly: Assembly) -> None:
    """Raise an `EncoderError` that says what differs between a video and its assembly."""
    settings = assembly.settings
    size_px = (assembly.width_px, assembly.height_px)
    check_pictures(facts, frames=len(assembly.frames), settings=settings, size_px=size_px)
    sound, wanted = facts.sound, None
    found = None if sound is None else (sound.codec, sound.sample_rate, sound.channels)
    if assembly.sound is not None:
        kind = sound_format(settings.codec, container_of(settings))
        wanted = None if kind is None else (kind.stream, SAMPLE_RATE, CHANNELS)
    if found != wanted:
        raise EncoderError(f"the video's sound is {found}, not {wanted}")
    check_extras(facts, assembly)
