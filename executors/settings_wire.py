"""RenderSettings ↔ their protobuf message. Unset fields take the defaults of our values."""

from __future__ import annotations

from typing import Any, TypeVar

from protos.framefarm.v1 import render_pb2
from renderer.cookies import Cookie
from renderer.encode.codec_facts import Codec, Container
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRate
from renderer.gamut import ColorGamut
from renderer.settings import CaptureMode, ColorScheme, History, RenderSettings
from renderer.subtitles.burning import BurnedSubtitles

from .durations import from_seconds, to_seconds

T = TypeVar("T")

_MODES = {
    CaptureMode.AUTO: render_pb2.CAPTURE_MODE_UNSPECIFIED,
    CaptureMode.DOM: render_pb2.CAPTURE_MODE_DOM,
    CaptureMode.CANVAS: render_pb2.CAPTURE_MODE_CANVAS,
}
_MODE_OF = {number: mode for mode, number in _MODES.items()}
_SCHEMES = {
    ColorScheme.LIGHT: render_pb2.COLOR_SCHEME_UNSPECIFIED,
    ColorScheme.DARK: render_pb2.COLOR_SCHEME_DARK,
}
_SCHEME_OF = {number: scheme for scheme, number in _SCHEMES.items()} | {
    render_pb2.COLOR_SCHEME_LIGHT: ColorScheme.LIGHT
}
_GAMUTS = {
    ColorGamut.SRGB: render_pb2.COLOR_GAMUT_UNSPECIFIED,
    ColorGamut.P3: render_pb2.COLOR_GAMUT_P3,
}
_GAMUT_OF = {number: gamut for gamut, number in _GAMUTS.items()} | {
    render_pb2.COLOR_GAMUT_SRGB: ColorGamut.SRGB
}
_HISTORIES = {
    History.AUTO: render_pb2.HISTORY_UNSPECIFIED,
    History.STATEFUL: render_pb2.HISTORY_STATEFUL,
    History.SEEKABLE: render_pb2.HISTORY_SEEKABLE,
}
_HISTORY_OF = {number: history for history, number in _HISTORIES.items()}
_TEXTS = ("preset", "props_json", "timezone", "locale")
_CODECS = {
    Codec.H264: render_pb2.CODEC_H264,
    Codec.H265: render_pb2.CODEC_H265,
    Codec.VP8: render_pb2.CODEC_VP8,
    Codec.VP9: render_pb2.CODEC_VP9,
    Codec.AV1: render_pb2.CODEC_AV1,
    Codec.PRORES: render_pb2.CODEC_PRORES,
    Codec.PRORES_4444: render_pb2.CODEC_PRORES_4444,
    Codec.DNXHR: render_pb2.CODEC_DNXHR,
    Codec.FFV1: render_pb2.CODEC_FFV1,
    Codec.GIF: render_pb2.CODEC_GIF,
    Codec.APNG: render_pb2.CODEC_APNG,
    Codec.WEBP: render_pb2.CODEC_WEBP,
    Codec.PNG: render_pb2.CODEC_PNG,
    Codec.JPEG: render_pb2.CODEC_JPEG,
}
_CODEC_OF = {number: codec for codec, number in _CODECS.items()} | {
    render_pb2.CODEC_UNSPECIFIED: Codec.H264
}
_CONTAINERS = {
    None: render_pb2.CONTAINER_UNSPECIFIED,
    Container.MP4: render_pb2.CONTAINER_MP4,
    Container.MOV: render_pb2.CONTAINER_MOV,
    Container.WEBM: render_pb2.CONTAINER_WEBM,
    Container.MKV: render_pb2.CONTAINER_MKV,
    Container.GIF: render_pb2.CONTAINER_GIF,
    Container.APNG: render_pb2.CONTAINER_APNG,
    Container.WEBP: render_pb2.CONTAINER_WEBP,
    Container.PNG: render_pb2.CONTAINER_PNG,
    Container.JPG: render_pb2.CONTAINER_JPG,
    Container.ZIP: render_pb2.CONTAINER_ZIP,
}
_CONTAINER_OF = {number: container for container, number in _CONTAINERS.items()}


def from_settings(settings: RenderSettings) -> render_pb2.RenderSettings:
    return render_pb2.RenderSettings(
        width_px=settings.width_px,
        height_px=settings.height_px,
        frame_rate=_from_rate(settings.frame_rate),
        mode=_MODES[settings.mode],
        canvas_selector=settings.canvas_selector,
        target_selector=settings.target_selector,
        codec=_CODECS[settings.codec],
        container=_CONTAINERS[settings.container],
        bitrate_kbps=settings.bitrate_kbps,
        lossless=settings.lossless,
        bit_depth=settings.bit_depth,
        tune=settings.tune,
        codec_options=[
            render_pb2.CodecOption(name=name, value=value) for name, value in settings.codec_options
        ],
        crf=settings.crf,
        preset=settings.preset,
        gop_frames=settings.gop_frames,
        encoder_threads=settings.encoder_threads,
        props_json=settings.props_json,
        seed=settings.seed,
        stability_timeout=from_seconds(settings.stability_timeout_s),
        strict=settings.strict,
        timezone=settings.timezone,
        locale=settings.locale,
        color_scheme=_SCHEMES[settings.color_scheme],
        color_gamut=_GAMUTS[settings.color_gamut],
        device_scale_factor=settings.device_scale_factor,
        user_agent=settings.user_agent,
        headers=[render_pb2.Header(name=name, value=value) for name, value in settings.headers],
        epoch_ms=settings.epoch_ms,
        cookies=[_from_cookie(cookie) for cookie in settings.cookies],
        transparent=settings.transparent,
        background=settings.background,
        target_follows=settings.target_follows,
        history=from_history(settings.history),
        burned_subtitles=[_from_burned(subtitles) for subtitles in settings.burned_subtitles],
    )


def to_settings(message: render_pb2.RenderSettings) -> RenderSettings:
    """Read settings.

    Raises:
        InvalidRequestError: with every field that cannot be.

    """
    given: dict[str, Any] = {
        name: getattr(message, name)
        for name in (
            "width_px",
            "height_px",
            "crf",
            "bitrate_kbps",
            "bit_depth",
            "gop_frames",
            "encoder_threads",
            "device_scale_factor",
            "epoch_ms",
        )
        if message.HasField(name)
    }
    given |= {name: value for name in _TEXTS if (value := getattr(message, name))}
    if message.HasField("frame_rate"):
        given["frame_rate"] = _to_rate(message.frame_rate)
    if message.HasField("stability_timeout"):
        given["stability_timeout_s"] = float(to_seconds(message.stability_timeout))
    return RenderSettings(
        **given,
        **_to_encoding(message),
        mode=_known(_MODE_OF, message.mode, "mode"),
        canvas_selector=message.canvas_selector,
        target_selector=message.target_selector,
        seed=message.seed,
        strict=message.strict,
        color_scheme=_known(_SCHEME_OF, message.color_scheme, "color_scheme"),
        color_gamut=_known(_GAMUT_OF, message.color_gamut, "color_gamut"),
        history=to_history(message.history),
        user_agent=message.user_agent,
        headers=tuple((header.name, header.value) for header in message.headers),
        cookies=tuple(_to_cookie(cookie) for cookie in message.cookies),
        transparent=message.transparent,
        background=message.background,
        target_follows=message.target_follows,
        burned_subtitles=tuple(map(_to_burned, message.burned_subtitles)),
    )


def _to_encoding(message: render_pb2.RenderSettings) -> dict[str, Any]:
    return {
        "codec": _known(_CODEC_OF, message.codec, "codec"),
        "container": _known(_CONTAINER_OF, message.container, "container"),
        "lossless": message.lossless,
        "tune": message.tune,
        "codec_options": tuple((each.name, each.value) for each in message.codec_options),
    }


def from_codec(codec: Codec) -> render_pb2.Codec.ValueType:
    return _CODECS[codec]


def to_codec(number: int) -> Codec:
    return _known(_CODEC_OF, number, "codec")


def from_container(container: Container | None) -> render_pb2.Container.ValueType:
    return _CONTAINERS[container]


def to_container(number: int) -> Container | None:
    return _known(_CONTAINER_OF, number, "container")


def from_history(history: History) -> render_pb2.History.ValueType:
    return _HISTORIES[history]


def to_history(number: int) -> History:
    return _known(_HISTORY_OF, number, "history")


def _from_cookie(cookie: Cookie) -> render_pb2.Cookie:
    return render_pb2.Cookie(
        name=cookie.name,
        value=cookie.value,
        domain=cookie.domain,
        path=cookie.path,
        secure=cookie.secure,
        http_only=cookie.http_only,
        same_site=cookie.same_site,
    )


def _to_cookie(message: render_pb2.Cookie) -> Cookie:
    return Cookie(
        name=message.name,
        value=message.value,
        domain=message.domain,
        path=message.path or "/",
        secure=message.secure,
        http_only=message.http_only,
        same_site=message.same_site,
    )


def _from_burned(subtitles: BurnedSubtitles) -> render_pb2.BurnedSubtitles:
    return render_pb2.BurnedSubtitles(
        script=subtitles.script,
        counts_frames=subtitles.counts_frames,
        offset=from_seconds(subtitles.offset_s),
    )


def _to_burned(message: render_pb2.BurnedSubtitles) -> BurnedSubtitles:
    return BurnedSubtitles(
        script=message.script,
        counts_frames=message.counts_frames,
        offset_s=to_seconds(message.offset),
    )


def _from_rate(rate: FrameRate) -> render_pb2.FrameRate:
    return render_pb2.FrameRate(numerator=rate.numerator, denominator=rate.denominator)


def _to_rate(message: render_pb2.FrameRate) -> FrameRate:
    try:
        return FrameRate(message.numerator, message.denominator)
    except ValueError as error:
        raise InvalidRequestError([Violation("frame_rate", str(error))]) from error


def _known(table: dict[Any, T], number: int, field: str) -> T:
    if number not in table:
        raise InvalidRequestError([Violation(field, f"this version does not know value {number}")])
    return table[number]
