"""Choices: whether what a user asks of an encoder can be, and what could be instead. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renderer.errors import Violation
from renderer.gamut import ColorGamut

from .codec_facts import Codec, Container, Look
from .codecs import CODECS
from .containers import holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from renderer.settings import RenderSettings

    from .codec_facts import CodecFacts

MAX_GOP_FRAMES: Final = 10_000
MAX_ENCODER_THREADS: Final = 64
MAX_BITRATE_KBPS: Final = 2_000_000
# Viewers show a GIF's frame that lasts 0.01 s for a tenth of a second.
MAX_GIF_FPS: Final = 50
# VP8 and VP9 keep alpha beside the pictures, where only these have a place.
_ALPHA_BESIDE: Final = (Container.WEBM, Container.MKV)
_LOSSLESS_RGBA: Final = ("bgra", "rgba")


def container_of(settings: RenderSettings) -> Container:
    """The kind of the finished file."""
    return settings.container or CODECS[settings.codec].containers[0]


def look_of(settings: RenderSettings) -> Look:
    """What the pictures in the file are made of."""
    if settings.transparent and not settings.background:
        return Look.ALPHA
    return Look.LOSSLESS if settings.lossless else Look.OPAQUE


def pixel_format_of(settings: RenderSettings) -> str:
    """How the codec keeps pictures of this look; the one that it has, where it has no such."""
    facts = CODECS[settings.codec]
    formats = facts.formats.get(look_of(settings)) or facts.formats[Look.OPAQUE]
    usual = next(iter(formats.values()))
    return usual if settings.bit_depth is None else formats.get(settings.bit_depth, usual)


def size_problem(settings: RenderSettings, size_px: tuple[int, int]) -> str | None:
    """Why pictures of this size cannot be encoded, and what size could be."""
    pixel_format = pixel_format_of(settings)
    steps = _steps(pixel_format)
    fitting = [max(2, -(-side // step) * step) for side, step in zip(size_px, steps, strict=True)]
    if fitting == list(size_px):
        return None
    sides = {(2, 2): "even sides", (2, 1): "an even width"}.get(steps, "sides of 2 and more")
    return (
        f"{size_px[0]}x{size_px[1]} px cannot be: {settings.codec} is {pixel_format} here, which "
        f"needs {sides}; make it {fitting[0]}x{fitting[1]} px, or use one of {_odd_codecs()}"
    )


def side_steps(settings: RenderSettings) -> tuple[int, int]:
    """Of how many pixels width and height are multiples."""
    return _steps(pixel_format_of(settings))


def _steps(pixel_format: str) -> tuple[int, int]:
    if "420" in pixel_format:
        return 2, 2
    return (2, 1) if "422" in pixel_format else (1, 1)


def _odd_codecs() -> str:
    return _listed(
        codec
        for codec, facts in CODECS.items()
        if all(_steps(each) == (1, 1) for each in facts.formats[Look.OPAQUE].values())
    )


def encoding_violations(settings: RenderSettings) -> Iterator[Violation]:
    """What cannot be, by the names of `RenderSettings`."""
    facts = CODECS[settings.codec]
    yield from _container_violations(settings, facts)
    yield from _look_violations(settings, facts)
    yield from _quality_violations(settings, facts)
    yield from _word_violations(settings, facts)
    if settings.color_gamut is not ColorGamut.SRGB and not facts.tells_gamut:
        yield Violation(
            "color_gamut",
            f"{settings.codec} files do not tell players of {settings.color_gamut}, and would show "
            f"wrong colours; use srgb, or {_those(lambda each: each.tells_gamut)}",
        )
    for field, number, most in (
        ("gop_frames", settings.gop_frames, MAX_GOP_FRAMES),
        ("encoder_threads", settings.encoder_threads, MAX_ENCODER_THREADS),
    ):
        if not 1 <= number <= most:
            yield Violation(field, f"{number} is outside 1…{most}")


def _container_violations(settings: RenderSettings, facts: CodecFacts) -> Iterator[Violation]:
    container = container_of(settings)
    if container not in facts.containers:
        yield Violation(
            "container",
            f"{container} does not hold {settings.codec}, which goes into "
            f"{_listed(facts.containers)}; {container} holds {_listed(holders(container))}",
        )
    least_width_px, least_height_px = facts.least_size_px
    for field, side, least in (
        ("width_px", settings.width_px, least_width_px),
        ("height_px", settings.height_px, least_height_px),
    ):
        if 2 <= side < least and not settings.captures_canvas:
            yield Violation(field, f"{side} is too small for {settings.codec}: at least {least}")
    if settings.codec is Codec.GIF and settings.frame_rate.fraction > MAX_GIF_FPS:
        yield Violation(
            "frame_rate",
            f"{settings.frame_rate} is over {MAX_GIF_FPS} frames a second, which a GIF cannot "
            f"show; use {MAX_GIF_FPS} or less, or another codec, like apng or webp",
        )


def _look_violations(settings: RenderSettings, facts: CodecFacts) -> Iterator[Violation]:
    look = look_of(settings)
    if look is Look.ALPHA:
        yield from _alpha_violations(settings, facts)
    if settings.lossless and not facts.has_lossless:
        able = _those(lambda each: each.has_lossless)
        yield Violation("lossless", f"{settings.codec} loses something; use {able}")
    depths = facts.formats.get(look, {})
    if settings.bit_depth is not None and depths and settings.bit_depth not in depths:
        able = _those(lambda each: settings.bit_depth in each.formats.get(look, {}))
        offered = _listed(str(depth) for depth in depths)
        yield Violation(
            "bit_depth",
            f"{settings.codec} has {offered} bits {_how(look)}and not {settings.bit_depth}"
            + (f"; {able} can" if able else ""),
        )


def _alpha_violations(settings: RenderSettings, facts: CodecFacts) -> Iterator[Violation]:
    container = container_of(settings)
    able = _those(lambda each: each.has_alpha)
    if not facts.has_alpha:
        yield Violation(
            "transparent",
            f"{settings.codec} holds no transparency; give a background colour, which is put "
            f"behind the page, or a codec that does: {able}",
        )
    elif settings.codec in {Codec.VP8, Codec.VP9} and container not in _ALPHA_BESIDE:
        yield Violation(
            "transparent",
            f"{settings.codec} in {container} holds no transparency; use {_listed(_ALPHA_BESIDE)}",
        )
    elif settings.lossless and not _keeps_all_of_rgba(facts):
        kept = _those(_keeps_all_of_rgba)
        yield Violation("lossless", f"{settings.codec} loses something of alpha; use {kept}")


def _quality_violations(settings: RenderSettings, facts: CodecFacts) -> Iterator[Violation]:
    crf, bitrate_kbps, codec = settings.crf, settings.bitrate_kbps, settings.codec
    if crf is not None and facts.crf is None:
        able = _those(lambda each: each.crf is not None)
        yield Violation("crf", f"{codec} has no such quality; leave it out, or use {able}")
    elif crf is not None and facts.crf and not facts.crf.least <= crf <= facts.crf.most:
        usual = f"{facts.default_crf} is visually lossless"
        yield Violation("crf", f"{crf} is outside {facts.crf} ({usual})")
    if bitrate_kbps is not None:
        if not facts.passes:
            able = _those(lambda each: each.passes > 0)
            yield Violation("bitrate_kbps", f"{codec} cannot reach one; use {able}")
        elif not 1 <= bitrate_kbps <= MAX_BITRATE_KBPS:
            yield Violation("bitrate_kbps", f"{bitrate_kbps} is outside 1…{MAX_BITRATE_KBPS}")
    said = {"crf": crf is not None, "bitrate_kbps": bitrate_kbps is not None}
    chosen = [name for name, is_said in said.items() if is_said]
    if settings.lossless and chosen:
        yield Violation(chosen[0], "what is lossless has one quality; drop one of the two")
    elif len(chosen) > 1:
        yield Violation("bitrate_kbps", "crf says how good each frame is; drop one of the two")


def _word_violations(settings: RenderSettings, facts: CodecFacts) -> Iterator[Violation]:
    for field, word, words in (
        ("preset", settings.preset, facts.presets),
        ("tune", settings.tune, facts.tunes),
    ):
        if word and word not in words:
            known = f"use one of {', '.join(words)}" if words else "leave it out"
            yield Violation(field, f"{word!r:.80} is unknown to {settings.codec}; {known}")
    for name, value in settings.codec_options:
        allowed = facts.options.get(name)
        if allowed is None:
            known = f"it has {', '.join(facts.options)}" if facts.options else "it has none"
            problem = f"{settings.codec} has no option {name!r:.80}; {known}"
            yield Violation("codec_options", problem)
        elif not allowed.holds(value):
            yield Violation("codec_options", f"{name}={value!r:.80} is none of {allowed}")


def _keeps_all_of_rgba(facts: CodecFacts) -> bool:
    return facts.formats.get(Look.ALPHA, {}).get(8) in _LOSSLESS_RGBA


def _those(fit: Callable[[CodecFacts], bool]) -> str:
    return _listed(codec for codec, facts in CODECS.items() if fit(facts))


def _how(look: Look) -> str:
    return {Look.ALPHA: "with alpha ", Look.LOSSLESS: "without loss "}.get(look, "")


def _listed(names: Iterable[str]) -> str:
    *most, last = [str(name) for name in names] or [""]
    return f"{', '.join(most)} or {last}" if most else last
