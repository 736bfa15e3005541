"""Recipes: settings → what the encoder of a chunk, and of a whole video, is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from renderer.gamut import ColorGamut

from .choices import container_of, look_of, pixel_format_of
from .codec_facts import Codec, Container, Look
from .codecs import CODECS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renderer.settings import RenderSettings

    from .codec_facts import CodecFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorTags:
    """How the numbers of a picture become colours."""

    space: str = "bt709"
    primaries: str = "bt709"
    transfer: str = "bt709"
    range: str = "tv"


class Colors(Enum):
    """What the numbers of a pixel format mean."""

    VIDEO = ColorTags()
    VP8 = ColorTags(space="smpte170m")  # its stream knows no other: many players read no tags
    VIDEO_P3 = ColorTags(primaries="smpte432")
    RGB = ColorTags(space="gbr", transfer="iec61966-2-1", range="pc")
    RGB_P3 = ColorTags(space="gbr", primaries="smpte432", transfer="iec61966-2-1", range="pc")
    JFIF = ColorTags(space="bt470bg", primaries="unknown", transfer="unknown", range="pc")

    @property
    def is_rgb(self) -> bool:
        return self.value.space == "gbr"


_IN_P3: Final = {Colors.VIDEO: Colors.VIDEO_P3, Colors.RGB: Colors.RGB_P3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a file is encoded, and how ffprobe is to find it.

    `colors` are those that the encoder gets; `tells_colors` says whether the file tells them, too.
    """

    encoder: str
    stream: str
    container: Container
    pixel_format: str
    told_format: str
    colors: Colors
    tells_colors: bool
    options: Mapping[str, Any]

    @property
    def has_alpha_beside(self) -> bool:
        """Whether alpha is a second picture, which the container keeps and ffprobe does not see."""
        return self.pixel_format == "yuva420p"


# Chunks that are encoded once more, at the end.
_KEPT_WHOLE: Final = {"level": 3, "slices": 4, "slicecrc": 1, "g": 1}
_RGB_STARTS: Final = ("gbr", "rgb", "bgr", "pal")
_TELLS_NOTHING: Final = frozenset({"ffv1", "png", "mjpeg", "gif", "apng", "webp"})
# What ffprobe calls a pixel format, where that is something else.
_TOLD: Final = {
    ("h264", "rgb24"): "gbrp",
    ("gif", "pal8"): "bgra",
    ("vp8", "yuva420p"): "yuv420p",
    ("vp9", "yuva420p"): "yuv420p",
    ("prores", "yuv444p10le"): "yuv444p12le",
    ("prores", "yuva444p10le"): "yuva444p12le",
}


def is_encoded_once_more(settings: RenderSettings) -> bool:
    """Whether the chunks are kept without loss, for one encode of the whole video."""
    return CODECS[settings.codec].chunk is None or settings.bitrate_kbps is not None


def chunk_recipe(settings: RenderSettings) -> Recipe:
    """How a chunk is encoded."""
    container = _chunk_container(settings)
    if container is not None and not is_encoded_once_more(settings):
        return _recipe_for(settings, container)
    if container is None:  # what its encoder makes of pictures is its own matter
        pixel_format = "bgra" if look_of(settings) is Look.ALPHA else "bgr0"
        return _recipe("ffv1", "ffv1", Container.MOV, pixel_format, options=_KEPT_WHOLE)
    kept = _recipe("ffv1", "ffv1", Container.MOV, pixel_format_of(settings), options=_KEPT_WHOLE)
    return replace(kept, colors=video_recipe(settings).colors)


def _chunk_container(settings: RenderSettings) -> Container | None:
    # WebM's times are rounded, and in mp4 they are to be exact.
    if settings.codec is Codec.VP9 and container_of(settings) is Container.MP4:
        return Container.MP4
    return CODECS[settings.codec].chunk


def video_recipe(settings: RenderSettings) -> Recipe:
    """How the whole video is encoded, or how its chunks were."""
    return _recipe_for(settings, container_of(settings))


def _recipe_for(settings: RenderSettings, container: Container) -> Recipe:
    facts = CODECS[settings.codec]
    encoder = _encoder(settings, facts, container)
    options = _options(settings, facts, container)
    recipe = _recipe(encoder, facts.stream, container, pixel_format_of(settings), options=options)
    if settings.color_gamut is ColorGamut.SRGB:
        return recipe
    return replace(recipe, colors=_IN_P3[recipe.colors])


def _recipe(
    encoder: str,
    stream: str,
    container: Container,
    pixel_format: str,
    *,
    options: Mapping[str, Any],
) -> Recipe:
    return Recipe(
        encoder=encoder,
        stream=stream,
        container=container,
        pixel_format=pixel_format,
        told_format=_TOLD.get((stream, pixel_format), pixel_format),
        colors=_colors(stream, pixel_format),
        tells_colors=stream not in _TELLS_NOTHING,
        options=options,
    )


def _colors(stream: str, pixel_format: str) -> Colors:
    if stream == "vp8":
        return Colors.VP8
    if pixel_format.startswith("yuvj"):
        return Colors.JFIF
    return Colors.RGB if pixel_format.startswith(_RGB_STARTS) else Colors.VIDEO


def _encoder(settings: RenderSettings, facts: CodecFacts, container: Container) -> str:
    if settings.codec is Codec.WEBP and container is Container.ZIP:
        return "libwebp"  # a file a picture
    if look_of(settings) is Look.LOSSLESS and facts.lossless_encoder:
        return facts.lossless_encoder
    return facts.encoder


def _options(settings: RenderSettings, facts: CodecFacts, container: Container) -> dict[str, Any]:
    options: dict[str, Any] = {**facts.fixed, "threads": settings.encoder_threads}
    options |= _quality(settings, facts)
    if facts.presets:
        options[facts.preset_name] = settings.preset or facts.default_preset
    if settings.tune:
        options["tune"] = settings.tune
    if facts.has_gop:
        options["g"] = settings.gop_frames
    if settings.codec is Codec.DNXHR:
        options["profile:v"] = "dnxhr_hqx" if settings.bit_depth == 10 else "dnxhr_hq"
    if settings.codec in {Codec.VP8, Codec.VP9} and look_of(settings) is Look.ALPHA:
        options["auto-alt-ref"] = 0
    if settings.codec is Codec.H265 and container in {Container.MP4, Container.MOV}:
        options["tag:v"] = "hvc1"  # or Apple's players will not have it
    if facts.params:
        options[facts.params] = _params(settings)
    else:
        options |= {_OPTION_NAMES.get(name, name): text for name, text in _chosen(settings, facts)}
    return options


_OPTION_NAMES: Final = {"profile": "profile:v"}


def _chosen(settings: RenderSettings, facts: CodecFacts) -> list[tuple[str, str]]:
    # What is made of a palette is told to a filter, and not to the encoder.
    return [] if facts.stream == "gif" else list(settings.codec_options)


def _quality(settings: RenderSettings, facts: CodecFacts) -> dict[str, Any]:
    if look_of(settings) is Look.LOSSLESS or (settings.lossless and facts.lossless):
        return dict(facts.lossless)
    if settings.bitrate_kbps is not None:
        return {"b:v": f"{settings.bitrate_kbps}k"}
    if facts.crf is None:
        return {}
    crf = facts.default_crf if settings.crf is None else settings.crf
    # libvpx takes a quality for a limit under its bitrate; 0 lifts that, which VP8 does not know.
    ceiling = {Codec.VP8: "200M", Codec.VP9: "0"}.get(settings.codec)
    return {facts.crf_name: crf, **({"b:v": ceiling} if ceiling else {})}


def _params(settings: RenderSettings) -> str:
    """What only the encoder's own parameters say: threads, and that groups are closed."""
    if settings.codec is Codec.AV1:
        told = [("lp", str(settings.encoder_threads))]
    else:
        # Frames that are encoded side by side know less of each other.
        threads = str(settings.encoder_threads)
        told = [("log-level", "error"), ("pools", threads), ("frame-threads", "1")]
        told += [("open-gop", "0"), ("info", "0")]
        told += [("lossless", "1")] if settings.lossless else []
    return ":".join(f"{name}={text}" for name, text in (*told, *settings.codec_options))
