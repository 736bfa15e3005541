"""The last encode: of chunks that were kept without loss, one after the other, in one piece."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ffmpeg as graph

from renderer.encode.arguments import compiled, converted
from renderer.encode.choices import look_of
from renderer.encode.codec_facts import Codec, Look
from renderer.encode.codecs import CODECS
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.recipe import video_recipe
from renderer.encode.webp import read_webp
from renderer.errors import EncoderError

from .extras import subtitle_inputs, with_extras
from .muxing import file_options, sounds

if TYPE_CHECKING:
    from renderer.encode.recipe import Recipe

    from .assembly import Assembly, Workbench

_COLORS: Final = 256
_DITHER: Final = "sierra2_4a"
_LEAST_ALPHA: Final = 128  # of what a GIF shows: its pixels are there, or they are not
# Milliseconds: times are rounded to them, and the last frame's length is ffmpeg's guess.
_WEBP_TICK_S: Final = Fraction(1, 1000)


async def encode_once_more(assembly: Assembly, made: Path, bench: Workbench) -> None:
    """Encode all pictures, with what they need of each other.

    Raises:
        EncoderError: ffmpeg failed.

    """
    settings = assembly.settings
    if settings.codec is Codec.GIF:
        pictures = await _with_palette(assembly, bench)
        await _encode(pictures, assembly, made, bench, {})
        return
    recipe = video_recipe(settings)
    passes = CODECS[settings.codec].passes if settings.bitrate_kbps is not None else 0
    if passes < 2:
        await _encode(pictures_for(recipe, assembly, bench), assembly, made, bench, {})
        return
    log = {"passlogfile": str(bench.folder / "passes")}
    await _look_over(assembly, bench, log)
    pictures = pictures_for(recipe, assembly, bench)
    await _encode(pictures, assembly, made, bench, log | {"pass": 2})


async def check_webp(made: Path, assembly: Assembly) -> None:
    """Check what ffprobe cannot read: an animated WebP.

    Raises:
        EncoderError: it is not what it should be.

    """
    try:
        facts = read_webp(await asyncio.to_thread(made.read_bytes))
    except ValueError as error:
        raise EncoderError(f"the WebP file is damaged: {error}") from error
    frames, rate = len(assembly.frames), assembly.frame_rate
    wanted = (assembly.width_px, assembly.height_px)
    if facts.size_px != wanted:
        raise EncoderError(f"the WebP file has {facts.size_px} px, not {wanted}")
    # Pictures that are the same become one that is shown for longer.
    lasts_s, wanted_s = sum(facts.durations_ms) * _WEBP_TICK_S, rate.seconds(frames)
    tolerance_s = rate.seconds(1) + _WEBP_TICK_S
    if facts.durations_ms and abs(lasts_s - wanted_s) > tolerance_s:
        raise EncoderError(f"the WebP lasts {float(lasts_s):g} s, not {float(wanted_s):g} s")
    if not 1 <= facts.pictures <= frames:
        raise EncoderError(f"the WebP file has {facts.pictures} pictures of {frames} frames")
    if look_of(assembly.settings) is Look.ALPHA and not facts.has_alpha:
        raise EncoderError("the WebP file says that it has no alpha")


def pictures_for(recipe: Recipe, assembly: Assembly, bench: Workbench) -> Any:
    """All pictures, as a recipe's encoder takes them."""
    pictures = _pictures(assembly, bench)
    if not assembly.is_converted:
        return pictures
    # As they were handed to the chunks' encoder, so that they become the same numbers.
    captured = "bgra" if look_of(assembly.settings) is Look.ALPHA else "bgr0"
    return converted(pictures.filter("format", captured), recipe)


def _pictures(assembly: Assembly, bench: Workbench) -> Any:
    # Every frame stands alone: their times are counted, and not read.
    return bench.chunks(r=str(assembly.frame_rate))


async def _with_palette(assembly: Assembly, bench: Workbench) -> Any:
    """Choose the colours by all pictures, then draw each with them.

    One of them is none, where nothing may stand behind the page.
    """
    is_open = look_of(assembly.settings) is Look.ALPHA
    options = dict(assembly.settings.codec_options)
    palette = bench.folder / "palette.png"
    chosen = _pictures(assembly, bench).filter(
        "palettegen", max_colors=options.get("colors", _COLORS), reserve_transparent=int(is_open)
    )
    drawing = graph.output(chosen, f"file:{palette}", format="image2", update=1)
    await run_ffmpeg(compiled(drawing, bench.ffmpeg), palette)
    colors = graph.input(f"file:{palette}")
    both = [_pictures(assembly, bench), colors]
    dither = options.get("dither", _DITHER)
    return graph.filter(both, "paletteuse", dither=dither, alpha_threshold=_LEAST_ALPHA)


async def _look_over(assembly: Assembly, bench: Workbench, log: dict[str, str]) -> None:
    """The first pass, of which only its notes are kept."""
    recipe = video_recipe(assembly.settings)
    options = {"c:v": recipe.encoder, **recipe.options, "fps_mode": "passthrough"}
    nowhere = graph.output(
        pictures_for(recipe, assembly, bench),
        "-",
        **options,
        **log,
        **{"pass": 1, "format": "null"},
    )
    await run_ffmpeg(_command(nowhere, assembly, bench), bench.folder / "nothing")


async def _encode(
    pictures: Any, assembly: Assembly, made: Path, bench: Workbench, more: dict[str, Any]
) -> None:
    recipe = video_recipe(assembly.settings)
    options = {"c:v": recipe.encoder, **recipe.options, **more, **file_options(assembly)}
    beside = [*sounds(assembly), *await subtitle_inputs(assembly, bench)]
    stream = graph.output(pictures, *beside, f"file:{made}", fps_mode="passthrough", **options)
    command = await with_extras(_command(stream, assembly, bench), assembly, bench)
    await run_ffmpeg(command, made)


def _command(stream: Any, assembly: Assembly, bench: Workbench) -> list[str]:
    threads = ("-filter_complex_threads", str(assembly.settings.encoder_threads))
    return compiled(stream.global_args(*threads), bench.ffmpeg)
