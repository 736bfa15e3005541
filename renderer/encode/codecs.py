"""Codecs: what each can hold, how its chunks are joined, and what may be chosen. Pure.

Quality, presets and options are each encoder's own. Everything else that decides bytes is said
here, and nothing is left to the number of processors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .codec_facts import Codec, CodecFacts, Container, Look, Span, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

_YUV: Final = {8: "yuv420p", 10: "yuv420p10le"}
_RGB: Final = {8: "rgb24"}
_RGBA: Final = {8: "rgba"}
_X26X: Final = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
_MOVIES: Final = (Container.MP4, Container.MOV, Container.MKV)
# Rows and tiles would let the bytes depend on threads. Frames that are never shown are packets
# of their own in VP8, and cannot be with alpha.
_VPX: Final = {"deadline": "good"}
_VPX_TUNES: Final = ("psnr", "ssim")

CODECS: Final[Mapping[Codec, CodecFacts]] = {
    Codec.H264: CodecFacts(
        encoder="libx264",
        stream="h264",
        containers=_MOVIES,
        chunk=Container.MP4,
        formats={Look.OPAQUE: _YUV, Look.LOSSLESS: _RGB},
        lossless_encoder="libx264rgb",
        lossless={"qp": "0"},
        crf=Span(0, 51),
        default_crf=17,
        presets=_X26X,
        default_preset="fast",
        tunes=("film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode"),
        passes=2,
        has_gop=True,
        options={
            "aq-mode": Span(0, 3),
            "bf": Span(0, 16),
            "refs": Span(1, 16),
            "rc-lookahead": Span(0, 250),
            "profile": Words(("baseline", "main", "high", "high10", "high444")),
        },
    ),
    Codec.H265: CodecFacts(
        encoder="libx265",
        stream="hevc",
        containers=_MOVIES,
        chunk=Container.MP4,
        formats={Look.OPAQUE: _YUV, Look.LOSSLESS: {8: "gbrp"}},
        crf=Span(0, 51),
        default_crf=16,
        presets=_X26X,
        default_preset="fast",
        tunes=("psnr", "ssim", "grain", "animation", "fastdecode"),
        passes=1,
        has_gop=True,
        params="x265-params",
        options={
            "aq-mode": Span(0, 4),
            "bframes": Span(0, 16),
            "ref": Span(1, 16),
            "rc-lookahead": Span(5, 250),
        },
    ),
    Codec.VP8: CodecFacts(
        encoder="libvpx",
        stream="vp8",
        containers=(Container.WEBM, Container.MKV),
        chunk=Container.WEBM,
        formats={Look.OPAQUE: {8: "yuv420p"}, Look.ALPHA: {8: "yuva420p"}},
        fixed={**_VPX, "auto-alt-ref": "0"},
        crf=Span(4, 63),
        default_crf=4,
        preset_name="cpu-used",
        presets=tuple("012345"),
        default_preset="2",
        tunes=_VPX_TUNES,
        passes=2,
        has_gop=True,
        options={"lag-in-frames": Span(0, 25), "noise-sensitivity": Span(0, 6)},
        tells_gamut=False,
    ),
    Codec.VP9: CodecFacts(
        encoder="libvpx-vp9",
        stream="vp9",
        containers=(Container.WEBM, Container.MKV, Container.MP4),
        chunk=Container.WEBM,
        formats={
            Look.OPAQUE: _YUV, Look.ALPHA: {8: "yuva420p"}, Look.LOSSLESS: {8: "gbrp"},
        },
        fixed={**_VPX, "row-mt": "0"},
        lossless={"lossless": "1"},
        crf=Span(0, 63),
        default_crf=20,
        preset_name="cpu-used",
        presets=tuple("012345"),
        default_preset="3",
        tunes=_VPX_TUNES,
        passes=2,
        has_gop=True,
        options={
            "aq-mode": Span(0, 4), "lag-in-frames": Span(0, 25), "tile-columns": Span(0, 6),
        },
    ),
    Codec.AV1: CodecFacts(
        encoder="libsvtav1",
        stream="av1",
        containers=(Container.MP4, Container.WEBM, Container.MKV),
        chunk=Container.MP4,
        formats={Look.OPAQUE: _YUV},
        crf=Span(1, 63),
        default_crf=20,
        presets=tuple(str(number) for number in range(13)),
        default_preset="8",
        passes=1,
        has_gop=True,
        params="svtav1-params",
        options={"film-grain": Span(0, 50), "tune": Span(0, 1), "scd": Span(0, 1)},
        least_size_px=(64, 64),
    ),
    Codec.PRORES: CodecFacts(
        encoder="prores_ks",
        stream="prores",
        containers=(Container.MOV, Container.MKV),
        chunk=Container.MOV,
        formats={Look.OPAQUE: {10: "yuv422p10le"}},
        fixed={"profile:v": "hq", "vendor": "apl0"},
        options={"profile": Words(("proxy", "lt", "standard", "hq"))},
    ),
    Codec.PRORES_4444: CodecFacts(
        encoder="prores_ks",
        stream="prores",
        containers=(Container.MOV, Container.MKV),
        chunk=Container.MOV,
        formats={Look.OPAQUE: {10: "yuv444p10le"}, Look.ALPHA: {10: "yuva444p10le"}},
        fixed={"profile:v": "4444", "vendor": "apl0"},
        options={"profile": Words(("4444", "4444xq"))},
    ),
    Codec.DNXHR: CodecFacts(
        encoder="dnxhd",
        stream="dnxhd",
        containers=(Container.MOV,),
        chunk=Container.MOV,
        formats={Look.OPAQUE: {8: "yuv422p", 10: "yuv422p10le"}},
        least_size_px=(256, 120),
    ),
    Codec.FFV1: CodecFacts(
        encoder="ffv1",
        stream="ffv1",
        containers=(Container.MKV, Container.MOV),
        chunk=Container.MOV,
        formats={
            Look.OPAQUE: {8: "bgr0"}, Look.ALPHA: {8: "bgra"}, Look.LOSSLESS: {8: "bgr0"},
        },
        fixed={"level": "3", "slices": "4", "slicecrc": "1", "g": "1"},
        options={"slices": Words(("4", "6", "9", "12", "16", "24", "30")), "context": Span(0, 1)},
    ),
    Codec.GIF: CodecFacts(
        encoder="gif",
        stream="gif",
        containers=(Container.GIF,),
        chunk=None,
        formats={Look.OPAQUE: {8: "pal8"}, Look.ALPHA: {8: "pal8"}},
        options={
            "colors": Span(4, 256),
            "dither": Words(("none", "bayer", "floyd_steinberg", "sierra2_4a")),
        },
        tells_gamut=False,
    ),
    Codec.APNG: CodecFacts(
        encoder="apng",
        stream="apng",
        containers=(Container.APNG,),
        chunk=None,
        formats={Look.OPAQUE: _RGB, Look.ALPHA: _RGBA, Look.LOSSLESS: _RGB},
        fixed={"pred": "mixed"},
        options={"pred": Words(("none", "sub", "up", "avg", "paeth", "mixed"))},
        tells_gamut=False,
    ),
    Codec.WEBP: CodecFacts(
        encoder="libwebp_anim",
        stream="webp",
        containers=(Container.WEBP, Container.ZIP),
        chunk=None,
        formats={
            Look.OPAQUE: {8: "bgra"}, Look.ALPHA: {8: "bgra"}, Look.LOSSLESS: {8: "bgra"},
        },
        fixed={"quality": "90", "compression_level": "4"},
        lossless={"lossless": "1"},
        options={"quality": Span(0, 100), "compression_level": Span(0, 6)},
        tells_gamut=False,
    ),
    Codec.PNG: CodecFacts(
        encoder="png",
        stream="png",
        containers=(Container.ZIP, Container.PNG),
        chunk=Container.MOV,
        formats={Look.OPAQUE: _RGB, Look.ALPHA: _RGBA, Look.LOSSLESS: _RGB},
        fixed={"pred": "mixed", "compression_level": "6"},
        options={"compression_level": Span(0, 9)},
        tells_gamut=False,
    ),
    Codec.JPEG: CodecFacts(
        encoder="mjpeg",
        stream="mjpeg",
        containers=(Container.ZIP, Container.JPG),
        chunk=Container.MOV,
        formats={Look.OPAQUE: {8: "yuvj444p"}},
        fixed={"qmin": "1"},  # or ffmpeg takes 1 for 2
        crf=Span(1, 31),
        default_crf=1,
        crf_name="q:v",
        tells_gamut=False,
    ),
}  # fmt: skip
