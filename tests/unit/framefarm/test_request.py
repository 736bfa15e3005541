"""Options become settings and frames, or a list of what is wrong with them."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from framefarm.output_names import output_names
from framefarm.request import RenderOptions, read_options
from renderer.audio.tracks import Track
from renderer.cookies import Cookie
from renderer.encode.codec_facts import Codec, Container
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRange, FrameRate
from renderer.gamut import ColorGamut
from renderer.settings import DEFAULT_EPOCH_MS, CaptureMode, ColorScheme, RenderSettings


def options(**said: Any) -> RenderOptions:
    return cast("RenderOptions", {"frames": 90} | said)


def violations_of(said: RenderOptions) -> tuple[Violation, ...]:
    with pytest.raises(InvalidRequestError) as refused:
        read_options(said)
    return refused.value.violations


def test_what_is_left_unsaid_is_the_settings_default() -> None:
    wish = read_options({"frames": 90})

    assert wish.settings == RenderSettings()
    assert wish.frames == FrameRange(0, 90)
    assert wish.chunk_frames is None
    assert wish.audio == ()


def test_what_is_said_is_understood() -> None:
    wish = read_options(
        {
            "width_px": 1280,
            "height_px": 720,
            "fps": "29.97",
            "duration": "2s",
            "start_frame": 10,
            "canvas": "#film",
            "mode": "canvas",
            "codec": "h264",
            "crf": 20,
            "preset": "slow",
            "gop_frames": 30,
            "props": '{"title": "Hello"}',
            "seed": 7,
            "audio": ["a.mp3,offset=2s,volume=0.5", "b.wav"],
            "stability_timeout": "1m",
            "chunk_frames": 25,
        }
    )

    assert wish.settings == RenderSettings(
        width_px=1280,
        height_px=720,
        frame_rate=FrameRate(30000, 1001),
        mode=CaptureMode.CANVAS,
        canvas_selector="#film",
        crf=20,
        preset="slow",
        gop_frames=30,
        props_json='{"title": "Hello"}',
        seed=7,
        stability_timeout_s=60.0,
    )
    assert wish.frames == FrameRange(10, 70)
    assert wish.chunk_frames == 25
    assert wish.audio == (
        Track(source=Path("a.mp3"), offset_s=Fraction(2), volume=0.5),
        Track(source=Path("b.wav")),
    )


@pytest.mark.parametrize("fps", ["30000/1001", 29.97, Fraction(30000, 1001)])
def test_a_rate_may_be_a_text_or_a_number(fps: str | float | Fraction) -> None:
    assert read_options(options(fps=fps)).settings.frame_rate == FrameRate(30000, 1001)


def test_props_may_be_a_mapping() -> None:
    wish = read_options(options(props={"title": "Größe", "bars": [1, 2]}))

    assert wish.settings.props_json == '{"title": "Größe", "bars": [1, 2]}'


@pytest.mark.parametrize("duration", ["1.5s", "1500ms", 1.5, Fraction(3, 2)])
def test_a_duration_may_be_a_text_or_seconds(duration: str | float | Fraction) -> None:
    assert read_options({"duration": duration}).frames == FrameRange(0, 45)


@pytest.mark.parametrize(
    ("said", "field", "problem"),
    [
        ({"width_px": 1281}, "width_px", "1281 is odd"),
        ({"height_px": 0}, "height_px", "0 is outside"),
        ({"fps": "fast"}, "fps", "'fast' is not a frame rate"),
        ({"fps": "0"}, "fps", "positive"),
        ({"fps": 1000}, "fps", "over 240"),
        ({"frames": 0}, "frames", "0 frames is outside 1…"),
        ({"frames": -3}, "frames", "-3 frames is outside 1…"),
        ({"frames": 10**30}, "frames", "is outside 1…"),
        ({"start_frame": -1}, "start_frame", "-1 is outside 0…"),
        ({"start_frame": 10**30}, "start_frame", "is outside 0…"),
        ({"mode": "webgl"}, "mode", "'webgl' is unknown; use auto, dom or canvas"),
        ({"codec": "vp7"}, "codec", "'vp7' is unknown; use h264, h265, "),
        ({"crf": 52}, "crf", "52 is outside 0…51"),
        ({"preset": "hasty"}, "preset", "'hasty' is unknown to h264; use one of ultrafast"),
        ({"gop_frames": 0}, "gop_frames", "0 is outside"),
        ({"props": "{"}, "props", "not JSON"),
        ({"props": "[1]"}, "props", "JSON object"),
        ({"props": {"at": object()}}, "props", "cannot be written as JSON"),
        ({"props": {"at": float("nan")}}, "props", "not JSON compliant"),
        ({"props": "\udcff"}, "props", "not UTF-8"),
        ({"target": "\udcff"}, "target", "not UTF-8"),
        ({"seed": -1}, "seed", "-1 is outside"),
        ({"mode": "dom", "canvas": "#film"}, "canvas", "not used in dom mode"),
        ({"canvas": "#film", "target": "#box"}, "target", "crops the page"),
        ({"stability_timeout": "soon"}, "stability_timeout", "'soon' is not a duration"),
        ({"stability_timeout": 0}, "stability_timeout", "outside"),
        ({"audio": ["a.mp3,tempo=2"]}, "audio", "'tempo' is no option of a sound"),
        ({"audio": ["a.mp3,volume=loud"]}, "audio", "'loud' is not a number"),
    ],
)
def test_what_cannot_be_is_named(said: dict[str, Any], field: str, problem: str) -> None:
    (violation,) = violations_of(options(**said))

    assert violation.field == field
    assert problem in violation.problem


@pytest.mark.parametrize("duration", ["-5s", "0s", "0", 0, -1.5, "1e9s", "soon", "9" * 30])
def test_a_duration_that_cannot_be_is_named(duration: str | float) -> None:
    (violation,) = violations_of({"duration": duration})

    assert violation.field == "duration"


def test_the_length_is_said_once() -> None:
    (neither,) = violations_of({})
    (both,) = violations_of({"frames": 90, "duration": "3s"})

    assert neither == Violation("frames", "missing; give a number of frames, or a duration like 5s")
    assert both.field == "frames"
    assert "drop one of the two" in both.problem


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = violations_of(options(frames=0, fps="x", codec="vp7", width_px=3, audio=["a,x=1"]))

    assert {violation.field for violation in found} == {
        "frames",
        "fps",
        "codec",
        "width_px",
        "audio",
    }


def test_an_option_that_does_not_exist_is_a_mistake_in_the_program() -> None:
    with pytest.raises(TypeError, match="no such option: widht_px"):
        read_options(options(widht_px=1280))


def test_what_the_page_finds_around_it_is_understood() -> None:
    said = options(
        timezone="Europe/Berlin",
        color_scheme="dark",
        color_gamut="p3",
        scale=1.5,
        headers=["X-A: 1:2", "X-B:"],
        epoch="2030-05-06T07:08:09+02:00",
        cookies=["a=b=c", " s = 1 ; Domain=x.example; Path=/p; Secure; HttpOnly; SameSite=Lax;"],
        transparent=True,
        background="#1A2b3c",
        target="#card",
        target_follows=True,
    )

    settings = read_options(said).settings

    assert settings.timezone == "Europe/Berlin"
    assert settings.color_scheme is ColorScheme.DARK
    assert settings.color_gamut is ColorGamut.P3
    assert settings.device_scale_factor == 1.5
    assert settings.headers == (("X-A", "1:2"), ("X-B", ""))
    assert settings.epoch_ms == 1_904_274_489_000
    whole = Cookie(
        name="s",
        value="1",
        domain="x.example",
        path="/p",
        secure=True,
        http_only=True,
        same_site="lax",
    )
    assert settings.cookies == (Cookie(name="a", value="b=c"), whole)
    assert (settings.transparent, settings.background) == (True, "#1A2b3c")
    assert settings.target_follows


def test_headers_may_be_a_mapping_and_an_epoch_a_time_in_utc() -> None:
    said = options(headers={"X-A": "1"}, cookies={"id": "b%"}, epoch=datetime(2024, 1, 1, 0, 0, 1))  # noqa: DTZ001 - that is the case

    settings = read_options(said).settings

    assert settings.headers == (("X-A", "1"),)
    assert settings.cookies == (Cookie(name="id", value="b%"),)
    assert settings.epoch_ms == DEFAULT_EPOCH_MS + 1000


@pytest.mark.parametrize(
    ("said", "field", "problem"),
    [
        ({"epoch": "yesterday"}, "epoch", "'yesterday' is no ISO 8601 time"),
        ({"epoch": "1950-01-01"}, "epoch", "outside the years 1970 to 9999"),
        ({"scale": 9}, "scale", "9 is outside 0.5…4"),
        ({"headers": ["secret"]}, "headers", "one has no colon"),
        ({"cookies": ["secret"]}, "cookies", "one has no equals sign"),
        ({"cookies": ["a=1;secret"]}, "cookies", "'a' has no attribute that its part 1 could be"),
        ({"cookies": ["a=1;domain=http://x"]}, "cookies", "a's domain 'http://x' is no host name"),
        ({"cookies": {"a": "1;2"}}, "cookies", "the value of a is not plain ASCII"),
        ({"transparent": True}, "transparent", "h264 holds no transparency; give a background"),
        ({"background": "snow"}, "background", "'snow' is no colour; write it like #fff"),
        ({"target_follows": True}, "target_follows", "there is no target to follow"),
        ({"color_scheme": "blue"}, "color_scheme", "'blue' is unknown; use light or dark"),
        ({"color_gamut": "p4"}, "color_gamut", "'p4' is unknown; use srgb or p3"),
        ({"timezone": "Mars"}, "timezone", "'Mars' is no IANA time zone"),
    ],
)
def test_surroundings_that_cannot_be_are_named(
    said: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_options(options(**said))

    (violation,) = caught.value.violations
    assert violation.field == field
    assert problem in violation.problem


@pytest.mark.parametrize("cookie", ["a=hidden\tx", "a=b;hidden", "a=b;hidden=1", "a b=hidden"])
def test_no_part_of_a_cookie_that_may_be_its_value_is_told(cookie: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_options(options(cookies=[cookie]))

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("output", "said", "codec", "container"),
    [
        ("a.webm", {}, Codec.VP9, Container.WEBM),
        ("a.mov", {"codec": "prores"}, Codec.PRORES, Container.MOV),
        ("%04d.webp", {}, Codec.WEBP, Container.ZIP),
        ("a.mkv", {"container": "mkv"}, Codec.H264, Container.MKV),
        (None, {"codec": "vp9"}, Codec.VP9, None),
        (None, {"container": "gif"}, Codec.GIF, Container.GIF),
        (None, {}, Codec.H264, None),
    ],
)
def test_the_outputs_name_chooses_and_what_is_said_chooses_before_it(
    output: str | None, said: dict[str, Any], codec: Codec, container: Container | None
) -> None:
    wish = read_options(options(frames=1, **said), output_names([output] if output else []))

    assert (wish.settings.codec, wish.settings.container) == (codec, container)


def test_what_the_encoder_is_told_is_read() -> None:
    said = options(frames=1, bitrate="2.5M", tune="film", codec_options=["bf = 2", "refs=3"])

    settings = read_options(said).settings

    assert (settings.bitrate_kbps, settings.tune) == (2500, "film")
    assert settings.codec_options == (("bf", "2"), ("refs", "3"))
    mapped = read_options(options(frames=1, codec_options={"bf": 2}))
    assert mapped.settings.codec_options == (("bf", "2"),)


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"bitrate": "5000"}, "bitrate", "write it like 800k or 5M"),
        ({"bitrate": "0k"}, "bitrate", "0 is outside 1"),
        ({"codec_options": ["bf"]}, "codec_options", "write it like aq-mode=3"),
        ({"container": "avi"}, "container", "'avi' is unknown; use mp4"),
        ({"container": "mov"}, "container", "mov is not what a.mp4 ends in"),
        ({"codec": "gif"}, "container", "mp4 does not hold gif, which goes into gif"),
    ],
)
def test_what_the_encoder_cannot_do_is_named(said: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_options(options(frames=1, **said), output_names(["a.mp4"]))

    (violation,) = refused.value.violations
    assert violation.field == field
    assert words in violation.problem
