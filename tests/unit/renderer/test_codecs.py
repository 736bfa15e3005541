from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Codec, Container, Look
from renderer.encode.codecs import CODECS
from renderer.encode.containers import CONTAINERS, file_of_output, sound_format
from renderer.encode.recipe import chunk_recipe, is_encoded_once_more, video_recipe
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRate
from renderer.settings import RenderSettings


def problem(field: str, **changes: Any) -> str:
    """What is said of the one field that cannot be."""
    with pytest.raises(InvalidRequestError) as refused:
        RenderSettings(**changes)
    (violation,) = refused.value.violations
    assert violation.field == field
    return violation.problem


def test_every_codec_is_in_the_table_and_has_what_it_offers() -> None:
    assert set(CODECS) == set(Codec)
    for facts in CODECS.values():
        assert facts.containers
        assert Look.OPAQUE in facts.formats
        assert (facts.crf is None) == (facts.default_crf == 0)
        assert facts.crf is None or facts.crf.least <= facts.default_crf <= facts.crf.most
        assert facts.default_preset in (*facts.presets, "")


def test_every_container_is_known_and_holds_its_usual_codec() -> None:
    assert set(CONTAINERS) == set(Container)
    for container, facts in CONTAINERS.items():
        assert container in CODECS[facts.codec].containers


@pytest.mark.parametrize("codec", Codec)
def test_every_codec_goes_into_a_container_without_being_told(codec: Codec) -> None:
    settings = RenderSettings(codec=codec)

    assert container_of(settings) in CODECS[codec].containers
    assert video_recipe(settings).encoder == CODECS[codec].encoder or codec is Codec.WEBP


@pytest.mark.parametrize("codec", Codec)
def test_a_bitrate_or_a_codec_without_chunks_is_encoded_at_the_end(codec: Codec) -> None:
    facts = CODECS[codec]
    if facts.passes:
        settings = RenderSettings(codec=codec, bitrate_kbps=500)
        assert is_encoded_once_more(settings)
        assert chunk_recipe(settings).stream == "ffv1"
        assert chunk_recipe(settings).pixel_format == video_recipe(settings).pixel_format
    assert is_encoded_once_more(RenderSettings(codec=codec)) == (facts.chunk is None)


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("container", {"codec": "vp9", "container": "mov"}, "goes into webm, mkv or mp4; mov hold"),
        (
            "transparent",
            {"transparent": True},
            "vp8, vp9, prores4444, ffv1, gif, apng, webp or png",
        ),
        ("transparent", {"codec": "vp9", "container": "mp4", "transparent": True}, "webm or mkv"),
        ("lossless", {"codec": "prores", "lossless": True}, "h264, h265, vp9, ffv1, apng, webp"),
        ("lossless", {"codec": "vp9", "transparent": True, "lossless": True}, "ffv1, apng, webp"),
        ("bit_depth", {"codec": "vp8", "bit_depth": 10}, "has 8 bits and not 10; h264, h265"),
        ("bit_depth", {"lossless": True, "bit_depth": 10}, "8 bits without loss and not 10"),
        ("crf", {"codec": "av1", "crf": 0}, "0 is outside 1…63"),
        ("crf", {"codec": "prores", "crf": 9}, "leave it out, or use h264, h265"),
        ("crf", {"lossless": True, "crf": 9}, "has one quality"),
        ("bitrate_kbps", {"crf": 9, "bitrate_kbps": 9}, "drop one of the two"),
        ("bitrate_kbps", {"codec": "gif", "bitrate_kbps": 9}, "use h264, h265, vp8, vp9 or av1"),
        ("bitrate_kbps", {"bitrate_kbps": 0}, "0 is outside 1…"),
        ("preset", {"codec": "av1", "preset": "fast"}, "use one of 0, 1, 2"),
        ("preset", {"codec": "gif", "preset": "fast"}, "leave it out"),
        ("tune", {"tune": "jazz"}, "'jazz' is unknown to h264; use one of film"),
        ("codec_options", {"codec_options": (("filter_script", "/x"),)}, "it has aq-mode, bf"),
        ("codec_options", {"codec_options": (("bf", "17"),)}, "bf='17' is none of 0…16"),
        ("codec_options", {"codec": "jpeg", "codec_options": (("a", "1"),)}, "it has none"),
        ("width_px", {"codec": "dnxhr", "width_px": 200}, "200 is too small for dnxhr: at least 2"),
        ("frame_rate", {"codec": "gif", "frame_rate": FrameRate(60)}, "60 is over 50 frames"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    field: str, changes: dict[str, Any], words: str
) -> None:
    kinds = {"codec": Codec, "container": Container}
    read = {k: kinds[k](value) if k in kinds else value for k, value in changes.items()}

    assert words in problem(field, **read)


def test_a_colour_behind_a_transparent_page_needs_no_alpha() -> None:
    settings = RenderSettings(transparent=True, background="#fff")

    assert video_recipe(settings).pixel_format == "yuv420p"


def test_options_reach_the_encoder_by_the_way_it_knows() -> None:
    h264 = RenderSettings(codec_options=(("bf", "2"), ("profile", "high")), tune="film")
    h265 = RenderSettings(codec=Codec.H265, codec_options=(("bframes", "2"),), encoder_threads=3)
    av1 = RenderSettings(codec=Codec.AV1, codec_options=(("film-grain", "8"),))

    assert chunk_recipe(h264).options["bf"] == "2"
    assert chunk_recipe(h264).options["profile:v"] == "high"
    assert chunk_recipe(h264).options["tune"] == "film"
    params = chunk_recipe(h265).options["x265-params"]
    assert params.endswith(":bframes=2")
    assert "pools=3:frame-threads=1:open-gop=0" in params
    assert chunk_recipe(av1).options["svtav1-params"] == "lp=2:film-grain=8"


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("a.mp4", Container.MP4, Codec.H264),
        ("a.WEBM", Container.WEBM, Codec.VP9),
        ("frames/%05d.png", Container.ZIP, Codec.PNG),
        ("frames/shot-%d.jpeg", Container.ZIP, Codec.JPEG),
        ("100%.png", Container.PNG, Codec.PNG),
    ],
)
def test_a_files_name_says_what_goes_into_it(name: str, container: Container, codec: Codec) -> None:
    assert file_of_output(Path(name)) == (container, codec)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.avi", "ends in .avi; videos end in .mp4, .mov"),
        ("a", "has no ending"),
        ("%d.mp4", "pictures end in .png"),
    ],
)
def test_a_name_that_no_container_has_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        file_of_output(Path(name))


def test_pictures_have_no_sound_and_studios_have_all_of_it() -> None:
    assert sound_format(Codec.GIF, Container.GIF) is None
    formats = {
        (codec, container): found.stream
        for codec, facts in CODECS.items()
        for container in facts.containers
        if (found := sound_format(codec, container))
    }
    assert formats[Codec.H264, Container.MOV] == "aac"
    assert formats[Codec.PRORES, Container.MOV] == "pcm_s24le"
    assert formats[Codec.AV1, Container.WEBM] == "opus"
    assert formats[Codec.FFV1, Container.MKV] == "flac"
