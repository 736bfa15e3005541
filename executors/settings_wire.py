"""RenderSettings ↔ their protobuf message. Unset fields take the defaults of our values."""

from __future__ import annotations

from typing import Any, Final

from protos.framefarm.v1 import render_pb2
from renderer.cookies import Cookie
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRate
from renderer.gamut import ColorGamut
from renderer.settings import CaptureMode, ColorScheme, History, RenderSettings
from renderer.subtitles.burning import BurnedSubtitles

from .durations import from_seconds, to_seconds
from .encoding_wire import from_encoding, known, to_encoding

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
_NUMBERS: Final = ("width_px", "height_px", "encoder_threads", "device_scale_factor", "epoch_ms")
_TEXTS = ("props_json", "timezone", "locale")


def from_settings(settings: RenderSettings) -> render_pb2.RenderSettings:
    return render_pb2.RenderSettings(
        width_px=settings.width_px,
        height_px=settings.height_px,
        frame_rate=_from_rate(settings.frame_rate),
        mode=_MODES[settings.mode],
        canvas_selector=settings.canvas_selector,
        target_selector=settings.target_selector,
        **from_encoding(settings),
        encoder_threads=settings.encoder_threads,
        props_json=settings.props_json,
        seed=settings.seed,
        stability_timeout=from_seconds(settings.stability_timeout_s),
        strict=settings.strict,
        **_from_surroundings(settings),
        color_gamut=_GAMUTS[settings.color_gamut],
        device_scale_factor=settings.device_scale_factor,
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
        name: getattr(message, name) for name in _NUMBERS if message.HasField(name)
    }
    given |= {name: value for name in _TEXTS if (value := getattr(message, name))}
    if message.HasField("frame_rate"):
        given["frame_rate"] = _to_rate(message.frame_rate)
    if message.HasField("stability_timeout"):
        given["stability_timeout_s"] = float(to_seconds(message.stability_timeout))
    return RenderSettings(
        **given,
        **to_encoding(message),
        **_to_surroundings(message),
        mode=known(_MODE_OF, message.mode, "mode"),
        canvas_selector=message.canvas_selector,
        target_selector=message.target_selector,
        seed=message.seed,
        strict=message.strict,
        color_gamut=known(_GAMUT_OF, message.color_gamut, "color_gamut"),
        history=to_history(message.history),
        transparent=message.transparent,
        background=message.background,
        target_follows=message.target_follows,
        burned_subtitles=tuple(map(_to_burned, message.burned_subtitles)),
    )


def from_history(history: History) -> render_pb2.History.ValueType:
    return _HISTORIES[history]


def to_history(number: int) -> History:
    return known(_HISTORY_OF, number, "history")


def _from_surroundings(settings: RenderSettings) -> dict[str, Any]:
    return {
        "timezone": settings.timezone,
        "locale": settings.locale,
        "color_scheme": _SCHEMES[settings.color_scheme],
        "user_agent": settings.user_agent,
        "headers": [render_pb2.Header(name=name, value=text) for name, text in settings.headers],
        "epoch_ms": settings.epoch_ms,
        "cookies": [_from_cookie(cookie) for cookie in settings.cookies],
    }


def _to_surroundings(message: render_pb2.RenderSettings) -> dict[str, Any]:
    return {
        "color_scheme": known(_SCHEME_OF, message.color_scheme, "color_scheme"),
        "user_agent": message.user_agent,
        "headers": tuple((header.name, header.value) for header in message.headers),
        "cookies": tuple(_to_cookie(cookie) for cookie in message.cookies),
    }


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
