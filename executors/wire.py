"""Values of the seam ↔ their protobuf messages. Unset fields take the defaults of our values."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.protobuf.duration_pb2 import Duration

from protos.framefarm.v1 import render_pb2, worker_pb2
from renderer.bundle import BundleFile, BundleManifest
from renderer.composition import BundleEntry, Composition, PageUrl
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRange, FrameRate
from renderer.settings import CaptureMode, Codec, ColorScheme, History, RenderSettings

from .base import ChunkResult, ChunkTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")

DIGEST_BYTES: Final = 32

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
_HISTORIES = {
    History.AUTO: render_pb2.HISTORY_UNSPECIFIED,
    History.STATEFUL: render_pb2.HISTORY_STATEFUL,
    History.SEEKABLE: render_pb2.HISTORY_SEEKABLE,
}
_HISTORY_OF = {number: history for history, number in _HISTORIES.items()}
_DIGESTS_A_MESSAGE: Final = (1 << 20) // DIGEST_BYTES
_TEXTS = ("preset", "props_json", "timezone", "locale")
_CODECS = {render_pb2.CODEC_UNSPECIFIED: Codec.H264, render_pb2.CODEC_H264: Codec.H264}


def from_task(task: ChunkTask) -> worker_pb2.ChunkTask:
    return worker_pb2.ChunkTask(
        job_id=task.job_id,
        index=task.index,
        attempt=task.attempt,
        composition=from_composition(task.composition),
        frames=from_frames(task.frames),
        settings=from_settings(task.settings),
        has_successor=task.has_successor,
        paints_all=task.paints_all,
    )


def to_task(message: worker_pb2.ChunkTask) -> ChunkTask:
    frames = to_frames(message.frames)
    if len(frames) == 0:
        raise InvalidRequestError([Violation("frames", f"{frames} holds no frame")])
    return ChunkTask(
        job_id=message.job_id,
        index=message.index,
        attempt=max(1, message.attempt),
        composition=to_composition(message.composition),
        frames=frames,
        settings=to_settings(message.settings),
        has_successor=message.has_successor,
        paints_all=message.paints_all,
    )


def from_result(result: ChunkResult) -> worker_pb2.Completed:
    return worker_pb2.Completed(
        frames=result.frames,
        width_px=result.width_px,
        height_px=result.height_px,
        size_bytes=result.size_bytes,
        sha256=result.sha256,
        fingerprint=result.fingerprint,
        render_time=from_seconds(result.seconds),
        warnings=result.warnings,
        next_frame_digest=bytes.fromhex(result.next_frame_digest),
    )


def to_result(
    message: worker_pb2.Completed, *, task: ChunkTask, worker: str, digests: bytes
) -> ChunkResult:
    return ChunkResult(
        index=task.index,
        frames=message.frames,
        width_px=message.width_px,
        height_px=message.height_px,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        fingerprint=message.fingerprint,
        worker=worker,
        seconds=float(to_seconds(message.render_time)),
        warnings=tuple(message.warnings),
        attempt=task.attempt,
        frame_digests=_to_digests(digests),
        next_frame_digest=message.next_frame_digest.hex(),
    )


def from_digests(digests: Sequence[str]) -> Iterator[worker_pb2.FrameDigests]:
    """Digests of frames, in as many messages as they need."""
    for start in range(0, len(digests), _DIGESTS_A_MESSAGE):
        part = "".join(digests[start : start + _DIGESTS_A_MESSAGE])
        yield worker_pb2.FrameDigests(sha256=bytes.fromhex(part))


def _to_digests(joined: bytes) -> tuple[str, ...]:
    starts = range(0, len(joined), DIGEST_BYTES)
    return tuple(joined[start : start + DIGEST_BYTES].hex() for start in starts)


def from_composition(composition: Composition) -> render_pb2.Composition:
    if isinstance(composition, PageUrl):
        return render_pb2.Composition(url=composition.url)
    return render_pb2.Composition(bundle=from_entry(composition))


def to_composition(message: render_pb2.Composition) -> Composition:
    match message.WhichOneof("source"):
        case "url":
            return PageUrl(message.url)
        case "bundle":
            return to_entry(message.bundle)
        case _:
            raise InvalidRequestError(
                [Violation("composition", "neither a URL nor a bundle was given")]
            )


def from_entry(entry: BundleEntry) -> render_pb2.BundleEntry:
    return render_pb2.BundleEntry(digest=entry.digest, entry=entry.entry)


def to_entry(message: render_pb2.BundleEntry) -> BundleEntry:
    return BundleEntry(message.digest, message.entry or "index.html")


def from_frames(frames: FrameRange) -> render_pb2.FrameRange:
    return render_pb2.FrameRange(start=frames.start, stop=frames.stop)


def to_frames(message: render_pb2.FrameRange) -> FrameRange:
    try:
        return FrameRange(message.start, message.stop)
    except ValueError as error:
        raise InvalidRequestError([Violation("frames", str(error))]) from error


def from_settings(settings: RenderSettings) -> render_pb2.RenderSettings:
    return render_pb2.RenderSettings(
        width_px=settings.width_px,
        height_px=settings.height_px,
        frame_rate=render_pb2.FrameRate(
            numerator=settings.frame_rate.numerator, denominator=settings.frame_rate.denominator
        ),
        mode=_MODES[settings.mode],
        canvas_selector=settings.canvas_selector,
        target_selector=settings.target_selector,
        codec=render_pb2.CODEC_H264,
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
        device_scale_factor=settings.device_scale_factor,
        user_agent=settings.user_agent,
        headers=[render_pb2.Header(name=name, value=value) for name, value in settings.headers],
        epoch_ms=settings.epoch_ms,
        history=from_history(settings.history),
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
        mode=_known(_MODE_OF, message.mode, "mode"),
        codec=_known(_CODECS, message.codec, "codec"),
        canvas_selector=message.canvas_selector,
        target_selector=message.target_selector,
        seed=message.seed,
        strict=message.strict,
        color_scheme=_known(_SCHEME_OF, message.color_scheme, "color_scheme"),
        history=to_history(message.history),
        user_agent=message.user_agent,
        headers=tuple((header.name, header.value) for header in message.headers),
        **given,
    )


def from_history(history: History) -> render_pb2.History.ValueType:
    return _HISTORIES[history]


def to_history(number: int) -> History:
    return _known(_HISTORY_OF, number, "history")


def from_manifest(manifest: BundleManifest) -> render_pb2.BundleManifest:
    return render_pb2.BundleManifest(
        files=[
            render_pb2.BundleFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in manifest.files
        ]
    )


def to_manifest(message: render_pb2.BundleManifest) -> BundleManifest:
    return BundleManifest(
        tuple(BundleFile(file.path, file.size_bytes, file.sha256) for file in message.files)
    )


def from_seconds(seconds: Fraction | float) -> Duration:
    nanos = round(Fraction(seconds) * 1_000_000_000)
    whole, rest = divmod(abs(nanos), 1_000_000_000)
    sign = -1 if nanos < 0 else 1  # a Duration's two fields have one sign
    return Duration(seconds=sign * whole, nanos=sign * rest)


def to_seconds(message: Duration) -> Fraction:
    return message.seconds + Fraction(message.nanos, 1_000_000_000)


def _to_rate(message: render_pb2.FrameRate) -> FrameRate:
    try:
        return FrameRate(message.numerator, message.denominator)
    except ValueError as error:
        raise InvalidRequestError([Violation("frame_rate", str(error))]) from error


def _known(table: dict[Any, T], number: int, field: str) -> T:
    if number not in table:
        raise InvalidRequestError([Violation(field, f"this version does not know value {number}")])
    return table[number]
